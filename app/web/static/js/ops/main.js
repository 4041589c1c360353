/** The operators' page: who looks is checked first, then the tree is asked for twice a second while it is seen. */

import { $, translate } from "../core/dom.js";
import { locale, t } from "../core/messages.js";
import { problemWords } from "../core/problems.js";
import { call, UnreachableError } from "../data/api.js";
import { drawHappened } from "./happened.js";
import { drawHead } from "./head.js";
import { Letters } from "./letters.js";
import { Model } from "./model.js";
import { Panel } from "./panel.js";
import { Tree } from "./tree.js";
import { Watch } from "./watch.js";

/** @import { Answer } from "../data/api.js" */
/** @import { Standing } from "./head.js" */

const TREE_MS = 500;
const HEALTH_MS = 2000;
/** How often countdowns move between two answers. */
const TICK_MS = 200;
/** One answer that does not come is a hiccup; two are silence. */
const SILENT_AFTER = 2;
const NARROW = "(max-width: 759px)";

const model = new Model();
/** @type {Standing} */
const standing = { health: null, heardHealthAt: 0, tookMs: 0, silentSince: 0, refusal: "" };
/** @type {string | null} path of the actor whose panel is open */
let selected = null;
let misses = 0;

/** @param {string} title @param {string} text @param {boolean} [link] whether there is something to go back to */
function alone(title, text, link = true) {
  $("#ops").hidden = true;
  $("#alone").hidden = false;
  $("#alone-title").textContent = title;
  $("#alone-text").textContent = text;
  $("#alone-link").hidden = !link;
  document.title = `${title} · Rondo`;
}

const signIn = () => location.replace("/sign-in?next=/ops");

/** @param {Answer | null} answer @param {number} tookMs */
function heard(answer, tookMs) {
  const now = Date.now();
  if (answer?.status === 401) return signIn();
  if (answer?.status === 403) return strangers("");
  if (!answer?.ok) return unheard(answer, now);
  if (standing.silentSince) {
    standing.silentSince = 0;
    model.tell({ kind: "back", at: now });
  }
  misses = 0;
  standing.tookMs = tookMs;
  model.hear(answer.data, now);
  draw();
}

/** @param {Answer | null} answer @param {number} now */
function unheard(answer, now) {
  misses += 1;
  model.interrupted = true;
  standing.refusal = answer ? problemWords(answer.problem) : "";
  if (misses >= SILENT_AFTER && !standing.silentSince && model.actors.size) {
    standing.silentSince = model.heardAt || now;
    model.tell({ kind: "away", at: now, detail: standing.refusal });
  } else if (!model.actors.size) standing.silentSince ||= now;
  draw();
}

function draw() {
  const now = Date.now();
  $("#ops").classList.toggle("stale", standing.silentSince > 0);
  drawHead(model, standing, now);
  tree.draw(now, selected);
  panel.draw(selected, now);
  drawHappened(model);
  // A page that lies under a sheet is neither seen nor reached.
  $("#main").inert = Boolean(selected && model.actors.has(selected)) && matchMedia(NARROW).matches;
}

/** @param {string} path @param {boolean} byKey */
function open(path, byKey) {
  if (path !== selected) history[selected ? "replaceState" : "pushState"](null, "", `#${path}`);
  selected = path;
  draw();
  if (byKey || matchMedia(NARROW).matches) panel.focus();
}

function close() {
  if (!selected) return;
  const path = selected;
  selected = null;
  history.replaceState(null, "", location.pathname);
  draw();
  tree.focus(path);
}

function addressed() {
  const path = decodeURIComponent(location.hash.slice(1));
  selected = path && (model.actors.has(path) || !model.actors.size) ? path : null;
  if (model.actors.size) draw();
}

/** @param {string} words */
function asked(words) {
  model.tell({ kind: "asked", at: Date.now(), detail: words });
  trees.start();
}

/** @param {string} name of who is signed in and no operator */
function strangers(name) {
  trees.stop();
  alone(t("ops.notYou"), t(name ? "ops.notYouMore" : "ops.notYouAnyone", { name }));
}

const trees = new Watch(() => "/api/ops/actors", TREE_MS, heard);
const health = new Watch(() => "/health", HEALTH_MS, (answer) => {
  if (!answer?.data?.checks) return;
  standing.health = answer.data;
  standing.heardHealthAt = Date.now();
});

translate(document);
document.documentElement.lang = locale();
const tree = new Tree(model, open);
const panel = new Panel(model, { close, asked });
const letters = new Letters(asked);

/** Shows the page to operators. Somebody else is told whose it is, a stranger is asked to sign in. */
async function begin() {
  const me = await call("GET", "/api/me").catch((error) => {
    if (error instanceof UnreachableError) return null;
    throw error;
  });
  if (me?.status === 401) return signIn();
  if (!me?.ok) {
    alone(t("ops.away"), t("ops.awayFirst"), false);
    setTimeout(() => void begin(), 1000);
    return;
  }
  if (!me.data.operator) return strangers(me.data.name || me.data.email);
  $("#alone").hidden = true;
  $("#ops").hidden = false;
  addressed();
  trees.start();
  health.start();
  letters.start();
  setInterval(() => document.hidden || draw(), TICK_MS);
}

document.addEventListener("visibilitychange", () => (model.interrupted ||= document.hidden));
addEventListener("popstate", addressed);
addEventListener("keydown", (event) => event.key === "Escape" && close());
void begin();
