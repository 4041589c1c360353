/** Where one is signed in, and a way to sign out there. */

import { fullWords } from "../core/dates.js";
import { h } from "../core/dom.js";
import { locale, t } from "../core/messages.js";
import { problemWords } from "../core/problems.js";
import { call, UnreachableError } from "../data/api.js";
import { section } from "./account-form.js";
import { toast } from "./toast.js";

/** @typedef {{id: string, current: boolean, createdAt: string, lastSeenAt: string, client: string, address: string, expiresAt: string}} Session */

/** The first one that fits; names that come later are claimed by those before, too. @type {[RegExp, string][]} */
const BROWSERS = [[/Edg/u, "Edge"], [/OPR/u, "Opera"], [/SamsungBrowser/u, "Samsung Internet"], [/Firefox|FxiOS/u, "Firefox"], [/Chrom|CriOS/u, "Chrome"], [/Safari/u, "Safari"]];
/** @type {[RegExp, string][]} */
const SYSTEMS = [[/Android/u, "Android"], [/iPhone|iPad/u, "iOS"], [/Windows/u, "Windows"], [/Mac OS X/u, "macOS"], [/CrOS/u, "ChromeOS"], [/Linux/u, "Linux"]];
/** @type {[Intl.RelativeTimeFormatUnit, number][]} seconds of each */
const UNITS = [["day", 86_400], ["hour", 3600], ["minute", 60]];

/** @param {[RegExp, string][]} known @param {string} client */
const nameIn = (known, client) => known.find(([pattern]) => pattern.test(client))?.[1];

/** What a person calls the program. @param {string} client `User-Agent` */
export function deviceWords(client) {
  const [browser, system] = [nameIn(BROWSERS, client), nameIn(SYSTEMS, client)];
  if (browser && system) return t("sessions.on", { browser, system });
  return browser ?? (client.split(" ", 1)[0] || t("sessions.unknown"));
}

/** "3 hours ago". @param {string} moment */
function ago(moment) {
  const seconds = (Date.parse(moment) - Date.now()) / 1000;
  const [unit, size] = UNITS.find(([, each]) => -seconds >= each) ?? ["minute", 60];
  return new Intl.RelativeTimeFormat(locale(), { numeric: "auto" }).format(Math.ceil(seconds / size), unit);
}

/** @returns {import("./account.js").Part} */
export function sessionsPart() {
  const list = h("ul", { class: "sessions" }, h("li", { class: "hint" }, t("sessions.loading")));
  const others = h("button", { type: "button", class: "quiet", hidden: true, onclick: () => end("", t("sessions.endedOthers")) }, t("sessions.endOthers"));
  const root = section("sessions", "sessions.title", list, others);

  const read = async () => {
    const answer = await asked(() => call("GET", "/api/me/sessions"));
    if (!answer) return void list.replaceChildren(h("li", { class: "hint" }, t("sessions.offline")));
    const items = /** @type {Session[]} */ (answer.items);
    list.replaceChildren(...items.map(item));
    others.hidden = items.length < 2;
  };

  /** @param {string} path of a session, empty: all others @param {string} done */
  const end = async (path, done) => {
    if ((await asked(() => call("DELETE", `/api/me/sessions${path}`))) === undefined) return;
    toast(done);
    await read();
    const heading = /** @type {HTMLElement} */ (root.querySelector("h2"));
    heading.tabIndex = -1;
    (list.querySelector("button") ?? heading).focus();
  };

  /** @param {Session} session */
  const item = (session) => {
    const device = deviceWords(session.client);
    const when = session.current ? h("strong", {}, t("sessions.current")) : t("sessions.seen", { when: ago(session.lastSeenAt) });
    const since = t("sessions.since", { when: fullWords(session.createdAt) });
    const out = () => end(`/${session.id}`, t("sessions.ended", { device }));
    return h("li", { class: "session" }, h("div", {}, h("p", {}, device, " · ", when), h("p", { class: "hint" }, since, " · ", h("bdi", {}, session.address))),
      !session.current && h("button", { type: "button", class: "quiet", "aria-label": t("sessions.endLabel", { device }), onclick: out }, t("nav.signOut")));
  };
  void read();
  return { root };
}

/** @param {() => Promise<import("../data/api.js").Answer>} request @returns {Promise<any>} data; undefined when it did not work */
async function asked(request) {
  try {
    const { ok, data, problem } = await request();
    if (ok) return data;
    toast(problemWords(problem), { tone: "error" });
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw error;
  }
  return undefined;
}
