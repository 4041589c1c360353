/** The state of the whole in one sentence, and the numbers beside it. */

import { $, h, icon, put, reconcile, unseen } from "../core/dom.js";
import { t, tOr } from "../core/messages.js";
import { sinceWords } from "./node.js";
import { facts } from "./rows.js";
import { number, span } from "./words.js";

/** @import { Actor, Health } from "./types" */
/** @import { Model } from "./model.js" */

/**
 * @typedef {{health: Health | null, heardHealthAt: number, tookMs: number, silentSince: number, refusal: string}} Standing
 *   `silentSince`: since when nobody answers (0: they do); `refusal`: why they do not tell
 */

/** @param {Model} model @param {Standing} standing @param {number} now */
export function drawHead(model, standing, now) {
  const { tone, text, more } = sentence(model, standing, now);
  const headline = $("#headline");
  headline.dataset.tone = tone;
  $("use", headline).setAttribute("href", `#i-${tone}`);
  put($("span", headline), text);
  put($("#headline-more"), more);
  const ill = model.unwell();
  const title = standing.silentSince ? t("ops.titleAway") : ill.length ? t("ops.titleTrouble", { n: ill.length }) : t("ops.title");
  if (document.title !== `${title} · Rondo`) document.title = `${title} · Rondo`;
  facts($("#facts"), [...numbers(model, standing, now)]);
  drawChecks(standing.health, [...ill, ...model.workers(({ state }) => state === "paused")]);
}

/** @param {Model} model @param {Standing} standing @param {number} now @returns {{tone: string, text: string, more: string}} */
function sentence(model, standing, now) {
  if (standing.silentSince) {
    const old = { span: span(Math.floor((now - standing.silentSince) / 1000)) };
    const { refusal } = standing;
    return { tone: "away", text: t(refusal ? "ops.noNews" : "ops.away"), more: refusal ? `${refusal} ${t("ops.old", old)}` : t("ops.awayMore", old) };
  }
  if (!model.actors.size) return { tone: "starting", text: t("ops.loading"), more: "" };
  const stuck = model.workers(({ state }) => state === "stuck");
  const paused = model.workers(({ state }) => state === "paused");
  const ill = model.unwell();
  const [first] = ill;
  if (stuck.length) return { tone: "stuck", text: t("ops.stuck", { names: names(stuck) }), more: t("ops.stuckMore") };
  if (ill.length > 1) return { tone: "backoff", text: t("ops.down", { n: ill.length }), more: names(ill) };
  if (first) return { tone: "backoff", text: t("ops.isDown", { name: first.id }), more: [tOr("opsState.", first.state), sinceWords(first, model, now)].filter(Boolean).join(" · ") };
  if (paused.length) return { tone: "paused", text: t("ops.paused", { names: names(paused) }), more: t("ops.pausedMore") };
  const running = model.workers(() => true).length;
  return { tone: "running", text: t("ops.well"), more: t("ops.wellMore", { n: running }) };
}

/** @param {Actor[]} actors */
const names = (actors) => actors.map(({ id }) => id).join(", ");

/** @param {Model} model @param {Standing} standing @param {number} now */
function numbers(model, { health, heardHealthAt, tookMs, silentSince }, now) {
  const workers = model.workers(() => true);
  /** @param {(actor: Actor) => number | null} of */
  const sum = (of) => workers.reduce((total, actor) => total + (of(actor) ?? 0), 0);
  const rate = sum(({ messagesPerSecond }) => messagesPerSecond);
  return /** @type {const} */ ([
    [t("ops.version"), health?.version ?? "…"],
    [t("ops.uptime"), health && !silentSince ? span(health.uptimeSeconds + (now - heardHealthAt) / 1000) : "…"],
    [t("ops.answers"), silentSince ? "…" : span(tookMs / 1000)],
    [t("ops.lag"), health?.loopLagSeconds == null ? null : span(health.loopLagSeconds)],
    [t("ops.messages"), t("ops.rate", { rate: number(rate, rate < 10 ? 1 : 0) })],
    [t("ops.waiting"), number(sum(({ mailbox }) => mailbox?.length ?? 0))],
    [t("ops.restarts"), number(sum(({ restarts }) => restarts))],
  ]);
}

/** @param {Health | null} health @param {Actor[]} missing what the tree knows sooner than the checks */
function drawChecks(health, missing) {
  const list = $("#checks");
  const actors = { ok: !missing.length, reason: names(missing) };
  const checks = Object.entries(health ? { ...health.checks, actors } : {});
  const items = checks.map(([name, { ok, reason }]) => {
    const key = `${name} ${ok}`;
    const kept = [...list.children].find((each) => each instanceof HTMLElement && each.dataset.key === key);
    const item = kept ?? h("li", { "data-key": key, "data-ok": String(ok) }, icon(ok ? "check" : "alert"), unseen(ok ? t("ops.checkOk") : ""), h("span"));
    put(/** @type {Element} */ (item.lastElementChild), ok ? tOr("opsCheck.", name) : `${tOr("opsCheck.", name)}: ${reason}`);
    return item;
  });
  reconcile(list, items);
}
