/** The address is the state of the page: place, filters, open task. Everything shareable is in it. */

/** @import { Lens, Place, Priority } from "../types" */

/** @typedef {{page: "list" | "sign-in" | "register", place: Place, lens: Lens, task: string | null}} Route */

const PLACES = /** @type {const} */ (["today", "upcoming", "completed", "search", "settings"]);

/** @type {Set<() => void>} */
const listeners = new Set();

/** @param {() => void} listener */
export function onRoute(listener) {
  listeners.add(listener);
}

/** @type {{address: string, from: unknown, route: Route} | undefined} */
let current;

/** What the address says; asked for many times per drawing, so it is read once. @returns {Route} */
export function route() {
  const { href: address } = location;
  const from = history.state?.from;
  if (current?.address !== address || current.from !== from) current = { address, from, route: readRoute() };
  return current.route;
}

/** @param {string} text as it stands in an address; what is no code for a letter stays as it is */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** @returns {Route} */
function readRoute() {
  const [first = "", second = ""] = location.pathname.split("/").slice(1).map(decoded);
  if (first === "sign-in" || first === "register") return { ...listRoute("/"), page: first };
  if (first !== "task") return listRoute(location.href);
  return { ...listRoute(history.state?.from ?? "/"), task: second };
}

/** @param {string} address of a list @returns {Route} */
function listRoute(address) {
  const { pathname, searchParams } = new URL(address, location.origin);
  const [first = "", second = ""] = pathname.split("/").slice(1).map(decoded);
  const named = PLACES.find((each) => each === first);
  const place = first === "tag" && second ? { name: first, tag: second } : { name: named ?? (first ? "missing" : "inbox") };
  return { page: "list", place: /** @type {Place} */ (place), lens: lensOf(searchParams), task: null };
}

/** @param {URLSearchParams} query @returns {Lens} */
function lensOf(query) {
  /** As in the API: a comma that belongs to an entry has a backslash before it. @param {string} name */
  const many = (name) => (query.get(name)?.match(/(?:\\.|[^,])+/gu) ?? []).map((entry) => entry.replace(/\\([\\,])/gu, "$1"));
  return {
    priority: /** @type {Priority[]} */ (many("priority")),
    tags: many("tags"),
    completed: /** @type {Lens["completed"]} */ (query.get("completed") ?? ""),
    dueAfter: query.get("dueAfter") ?? "",
    dueBefore: query.get("dueBefore") ?? "",
    q: query.get("q") ?? "",
    sort: /** @type {Lens["sort"]} */ (query.get("sort") ?? ""),
    order: /** @type {Lens["order"]} */ (query.get("order") ?? ""),
  };
}

/**
 * Where one was in a list: how many rows there were, which was on top and how high, and which had the focus. The entry of
 * the history keeps it in its state, for Back, Forward and a reload.
 * @typedef {{rows: number, top: string, at: number, focus: string}} Spot
 */
/** @type {{look: () => Spot, restore: (spot: Spot | undefined, same: boolean) => void}} the list puts itself in here */
export const spots = { look: () => ({ rows: 0, top: "", at: 0, focus: "" }), restore: () => undefined };
// The browser would scroll before the rows are there.
history.scrollRestoration = "manual";

const keepSpot = () => history.replaceState({ ...history.state, spot: spots.look() }, "");
// What Back leaves can no longer be written to, nor what a reload leaves.
document.addEventListener("scrollend", keepSpot);

/** @param {string} entry */
const escaped = (entry) => entry.replace(/[\\,]/gu, "\\$&");

/** @param {Place} place @param {Partial<Lens>} [lens] */
export function addressOf(place, lens = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(lens)) if (value.length) query.set(name, typeof value === "string" ? value : value.map(escaped).join(","));
  const path = place.name === "inbox" ? "/" : `/${place.name}${place.tag ? `/${encodeURIComponent(place.tag)}` : ""}`;
  return query.size ? `${path}?${query}` : path;
}

/** The list that is shown, also behind an open task. */
export function listAddress() {
  const { place, lens } = route();
  return addressOf(place, lens);
}

/**
 * @param {string} address
 * @param {{replace?: boolean}} [options]
 */
export function go(address, { replace = false } = {}) {
  const from = address.startsWith("/task/") ? listAddress() : undefined;
  if (address === location.pathname + location.search && !replace) return;
  const list = listAddress();
  if (!replace) keepSpot();
  history[replace ? "replaceState" : "pushState"]({ from }, "", address);
  tell();
  if (list !== listAddress()) scrollTo(0, 0);
}

/** Where signing in leads: the page that asked for it, else the tasks. Only pages that we know are gone to. */
export function welcomed() {
  if (new URLSearchParams(location.search).get("next") === "/ops") location.replace("/ops");
  else go(route().page === "list" ? location.pathname + location.search : "/", { replace: true });
}

function tell() {
  for (const listener of listeners) listener();
}

addEventListener("popstate", () => {
  const list = current && addressOf(current.route.place, current.route.lens);
  tell();
  spots.restore(history.state?.spot, list === listAddress());
});

/** Links inside the page change the address without loading anything; those to other pages say `rel="external"`. */
document.addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
  if (!link || !plain || link.origin !== location.origin || link.hash || link.rel === "external" || event.defaultPrevented) return;
  event.preventDefault();
  go(link.pathname + link.search);
});
