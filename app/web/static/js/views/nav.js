/** Places, tags, the state of the connection, the banner, and the account. */

import { $, h, icon, put, reconcile } from "../core/dom.js";
import { t } from "../core/messages.js";
import { countsOf } from "../core/places.js";
import { addressOf, go, listAddress, route } from "../core/router.js";
import { recallViews, savedViews } from "../data/savedviews.js";
import { lateWords } from "../data/status.js";
import { signOut } from "../data/sync.js";
import { allTasks, ops, state, taskOf } from "../data/store.js";

/** @import { Place } from "../types" */

const PLACES = /** @type {const} */ (["inbox", "today", "upcoming", "completed"]);
export const THEMES = /** @type {const} */ (["auto", "light", "dark"]);

/** @type {Map<string, HTMLElement>} */
const links = new Map();

/** What a task becomes that is dropped on a place. @type {Record<string, string>} */
const DROPS = { today: "due:today", upcoming: "due:tomorrow", completed: "done:" };

/** @param {() => void} openHelp @param {() => void} openPalette @param {() => void} startAdding */
export function startNav(openHelp, openPalette, startAdding) {
  const button = h("button", { type: "button", class: "bar-add", "aria-label": t("add.label"), onclick: startAdding }, icon("plus"));
  const more = h("button", { type: "button", "aria-expanded": "false", "aria-controls": "nav", onclick: toggleNav }, icon("more"), t("nav.more"));
  $("#bar").append(...["inbox", "today"].map(barLink), button, barLink("upcoming"), more);
  $("#open-help").onclick = openHelp;
  $("#open-palette").onclick = openPalette;
  if (/Mac|iPhone|iPad/u.test(navigator.platform)) $("#open-palette kbd").textContent = "⌘ K";
  $("#sign-out").onclick = leave;
  for (const name of THEMES) {
    const checked = document.documentElement.dataset.theme === name;
    $("#theme").append(h("label", {}, h("input", { type: "radio", name: "theme", value: name, checked, onchange: () => useTheme(name) }), h("span", {}, t(`theme.${name}`))));
  }
}

/** @param {string} name */
const barLink = (name) => linkTo({ name: /** @type {"inbox"} */ (name) }, "bar");

/** @param {Event} [event] */
function toggleNav(event) {
  const open = event ? $("#nav").classList.toggle("open") : ($("#nav").classList.remove("open"), false);
  $("#bar [aria-controls]").setAttribute("aria-expanded", String(open));
}

/** Closes the navigation that covers a narrow page. */
export const closeNav = () => toggleNav();

/** @param {string} name */
export function useTheme(name) {
  document.documentElement.dataset.theme = name;
  localStorage.setItem("theme", name);
  for (const input of document.querySelectorAll(`input[name$=theme][value=${name}]`)) Reflect.set(input, "checked", true);
}

/** Asks once more when unsent changes would be lost. */
function leave() {
  const button = $("#sign-out");
  if (ops.length && !button.dataset.sure) {
    button.dataset.sure = "yes";
    button.textContent = t("nav.signOutAnyway", { n: ops.length });
  } else void signOut();
}

/** @param {Place} place @param {string} kind of navigation it stands in */
function linkTo(place, kind) {
  const key = kind + addressOf(place);
  let link = links.get(key);
  if (!link) {
    const words = place.tag ?? t(`place.${/** @type {"inbox"} */ (place.name)}`);
    link = h("a", { href: addressOf(place) }, icon(place.tag ? "tag" : place.name), h("span", { class: "place-name" }, words), h("span", { class: "place-count" }));
    links.set(key, link);
    link.dataset.key = addressOf(place);
    link.dataset.drop = place.tag ? `tag:${place.tag}` : (DROPS[place.name] ?? "");
  }
  return link;
}

/** @param {Place} place @param {number} count @param {boolean} [late] */
function item(place, count, late = false) {
  const link = linkTo(place, "nav");
  const number = /** @type {HTMLElement} */ (link.lastElementChild);
  const words = count ? String(count) : "";
  if (number.textContent !== words) {
    put(number, words);
    number.title = count ? t("nav.open", { n: count }) : "";
  }
  number.classList.toggle("overdue", late);
  return /** @type {HTMLElement} */ (link.parentElement ?? h("li", {}, link));
}

export function drawNav() {
  const { counts, tags } = countsOf(allTasks());
  const numbers = { inbox: counts.inbox, today: counts.today, upcoming: counts.upcoming, completed: 0 };
  reconcile($("#places"), PLACES.map((name) => item({ name }, numbers[name], name === "today" && counts.overdue > 0)));
  reconcile($("#tags"), tags.map(({ tag, count }) => item({ name: "tag", tag }, count)));
  $("#tags-title").hidden = tags.length === 0;
  drawViews();
  const whole = listAddress();
  const here = savedViews().some(({ address }) => address === whole) ? whole : addressOf(route().place);
  for (const link of links.values()) {
    if (link.dataset.key === here) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  $("#open-ops").hidden = !state.user?.operator;
  put($("#who"), state.user?.name || state.user?.email || "");
  drawLink();
  drawBanner();
}

function drawViews() {
  recallViews();
  const views = savedViews();
  $("#views-title").hidden = views.length === 0;
  reconcile($("#views"), views.map(viewItem));
}

/** @param {import("../data/savedviews.js").View} view */
function viewItem({ name, address }) {
  const key = `view${address}${name}`;
  const known = links.get(key);
  if (known) return /** @type {HTMLElement} */ (known.parentElement);
  const link = h("a", { href: address, "data-key": address }, icon("view"), h("span", { class: "place-name" }, name));
  links.set(key, link);
  return h("li", {}, link);
}

function drawLink() {
  const waiting = ops.filter((op) => !op.notBefore).length;
  const link = $("#link");
  link.dataset.state = state.connection;
  const words = t(`link.${state.connection}`);
  put($("span", link), waiting && state.connection !== "live" ? `${words} · ${t("app.waiting", { n: waiting })}` : words);
}

function drawBanner() {
  const [clash, ...others] = ops.filter((op) => op.conflict && taskOf(op.id));
  const banner = $("#banner");
  const away = state.connection === "offline" ? t("app.offline") : state.away && !state.failed ? t("app.away") : "";
  const text = clash ? t("app.conflicts", { n: 1 + others.length }) : state.degraded ? t("app.degraded") : away || lateWords();
  banner.hidden = !text;
  if (banner.dataset.text === text) return;
  banner.dataset.text = text;
  banner.classList.toggle("calm", !clash && !state.degraded && !away);
  const decide = clash && taskOf(clash.id) && h("button", { type: "button", class: "quiet", onclick: () => go(`/task/${clash.id}`) }, t("app.decide"));
  banner.replaceChildren(icon(clash ? "alert" : "cloud"), h("span", {}, text), ...(decide ? [decide] : []));
}
