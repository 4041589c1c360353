/** Puts the page together: what changes in the store or the address is drawn, once per frame. */

import { $, translate } from "./core/dom.js";
import { later, onMissed } from "./core/later.js";
import { t } from "./core/messages.js";
import { go, onRoute, route, welcomed } from "./core/router.js";
import { read } from "./data/db.js";
import { ringing } from "./data/bells.js";
import { flushHeld, hooks } from "./data/outbox.js";
import { startStatus } from "./data/status.js";
import { start } from "./data/sync.js";
import { changed, flush, state, subscribe } from "./data/store.js";
import { drawPanel, flushPanel, focusPart } from "./views/details.js";
import { drawFilters, startFilters } from "./views/filters.js";
import { startHands } from "./views/hands.js";
import { openHelp, openPalette, startAdding, startKeys } from "./views/keys.js";
import { drawList, watchEnd } from "./views/list.js";
import { closeNav, drawNav, startNav } from "./views/nav.js";
import { drawPicked } from "./views/picked.js";
import { startQuickAdd } from "./views/quickadd.js";
import { toast } from "./views/toast.js";

const bells = later(() => import("./views/bells.js"));

let started = false;
let shownTask = "";

function draw() {
  if (!started) return;
  const { page, place, task } = route();
  const signedOut = state.expired || (!state.user && !state.failed) || page !== "list";
  $("#auth").hidden = !signedOut;
  if (signedOut || $("#auth").firstChild) void import("./views/auth.js").then(({ drawAuth }) => drawAuth());
  $("#app").hidden = signedOut;
  if (signedOut) return;
  document.documentElement.dataset.place = place.name;
  if (place.name === "settings" || $("#settings").firstChild) void import("./views/account.js").then(({ drawAccount }) => drawAccount());
  drawNav();
  drawFilters();
  if (bells.now() || ringing().length) bells.use((loaded) => loaded.drawBells());
  drawPicked();
  drawList();
  drawPanel();
  // A list that lies under a sheet is neither seen nor reached.
  $("#main").inert = Boolean(task) && matchMedia("(max-width: 759px)").matches;
}

/** A click on a task puts the focus into its details; a click on a place, to its heading. */
function routed() {
  closeNav();
  draw();
  const { task, page } = route();
  if (page !== "list") return;
  if (task && task !== shownTask) focusPart();
  else if (!task && document.activeElement?.closest("nav")) {
    $("#heading").focus();
    scrollTo(0, 0);
  }
  shownTask = task ?? "";
}

onMissed(() => toast(t("app.updated"), { tone: "error" }));

hooks.created = (local, real) => {
  if (route().task !== local) return;
  history.replaceState(history.state, "", `/task/${real}`);
  shownTask = real;
};

async function run() {
  translate(document);
  startNav(openHelp, openPalette, startAdding);
  startFilters();
  subscribe(draw);
  onRoute(routed);
  // What this browser remembers is shown at once; who is signed in is checked meanwhile.
  subscribe(() => {
    if (started || !state.user) return;
    started = true;
    draw();
  });
  startStatus();
  void startKeys();
  void startQuickAdd();
  watchEnd();
  startHands();
  const known = await start(route().page === "list");
  started = true;
  if (!known && !state.failed && route().page === "list") go("/sign-in", { replace: true });
  else if (known && route().page !== "list") welcomed();
  changed();
  const examples = await read("kv", "welcome");
  if (examples) (await import("./views/welcome.js")).resume(examples);
}

function leaving() {
  flushPanel();
  flushHeld();
  void flush();
}

addEventListener("pagehide", leaving);
document.addEventListener("visibilitychange", () => document.hidden && flushPanel());
// Days and overdue marks move on by themselves.
setInterval(changed, 60_000);

/** The one script address that is not written in the shell. Browsers without trusted types take the text. */
function workerAddress() {
  /** @type {{createPolicy: (name: string, rules: object) => {createScriptURL: (url: string) => string}} | undefined} */
  const types = Reflect.get(globalThis, "trustedTypes");
  return types?.createPolicy("rondo", { createScriptURL: () => "/sw.js" }).createScriptURL("") ?? "/sw.js";
}

if ("serviceWorker" in navigator) void navigator.serviceWorker.register(workerAddress()).catch(() => undefined);

void run();
