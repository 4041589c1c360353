/** What the palette offers: what can be done with the task in hand or the picked ones, where one can go, what one can find. */

import { fit } from "../core/fuzzy.js";
import { t } from "../core/messages.js";
import { NEAR_DAYS } from "../core/neardays.js";
import { parse } from "../core/parse.js";
import { countsOf } from "../core/places.js";
import { addressOf, go, route } from "../core/router.js";
import { savedViews } from "../data/savedviews.js";
import { signOut } from "../data/sync.js";
import { allTasks, ops, state, taskOf } from "../data/store.js";
import { moveToToday, remove, toggle } from "./actions.js";
import { addHere } from "./quickadd.js";
import { act, currentTask, details, openHelp, startAdding, visit } from "./keys.js";
import { shownTasks } from "./list.js";
import { completeMany, prioritizeMany, removeMany, scheduleMany, tagMany, untagMany } from "./many.js";
import { useTheme } from "./nav.js";
import { pick, pickAll, pickedTasks, pickNone } from "./selection.js";
import { undoLast } from "./toast.js";
import { isOverdue } from "../core/dates.js";

/** @import { Lens, Place, Priority, Task } from "../types" */
/**
 * @typedef {{group: string, words: string, mark: string, run: () => void, keys?: string, current?: boolean, also?: string, deep?: boolean}} Command
 *   `also` are other words it is found by; what is `deep` appears only when one types
 */

const LEVELS = /** @type {Priority[]} */ (["urgent", "high", "medium", "low"]);
const PLACES = /** @type {const} */ ([["inbox", "g i"], ["today", "g t"], ["upcoming", "g u"], ["completed", "g c"]]);
const SORTS = /** @type {const} */ (["", "dueDate", "priority", "title", "createdAt"]);
const THEMES = /** @type {const} */ (["auto", "light", "dark"]);
/** More matches than this are seen better in the search. */
const MOST_TASKS = 8;
/** Parts of the page of the account, and their headings. */
const SETTINGS = /** @type {const} */ ([
  ["profile", "account.profile"], ["look", "account.look"], ["sessions", "sessions.title"], ["password", "password.title"], ["data", "export.title"],
]);
/** A long list of tags hides what is behind it, so all of them appear only when one types. */
const MOST_TAGS = 5;

/**
 * Looks at what is in hand once, when the palette opens.
 * @returns {(typed: string) => Command[]}
 */
export function commandsFor() {
  const hand = handCommands();
  const places = placeCommands();
  const doing = doingCommands();
  return (typed) => {
    if (!typed) return [...hand.filter(brief()), ...places.filter(brief()), ...doing];
    const found = best(typed, [...hand, ...places, ...doing]);
    return [...found, ...taskCommands(typed), ...typedCommands(typed)];
  };
}

/** Of the many that are alike, the first few. */
function brief() {
  let tags = 0;
  return (/** @type {Command} */ { mark, deep }) => !deep && (mark !== "tag" || (tags += 1) <= MOST_TAGS);
}

/** @param {string} typed @param {Command[]} commands */
function best(typed, commands) {
  const scored = commands.map((command) => ({ command, score: fit(typed, command.words) || fit(typed, command.also ?? "") })).filter(({ score }) => score > 0);
  return scored.sort((a, b) => b.score - a.score).map(({ command }) => command);
}

/** @returns {Command[]} */
function handCommands() {
  const picked = pickedTasks();
  const one = taskOf(currentTask());
  const tasks = picked.length ? picked : one ? [one] : [];
  const [first] = tasks;
  if (!first) return [];
  const group = tasks.length === 1 ? t("many.one", { title: first.title }) : t("many.tasks", { n: tasks.length });
  /** @param {string} mark @param {string} words @param {() => void} run @param {Partial<Command>} [more] @returns {Command} */
  const make = (mark, words, run, more = {}) => ({ group, mark, words, ...more, run: () => (run(), picked.length && pickNone()) });
  const single = !picked.length;
  const open = tasks.some((task) => !task.completed);
  return [
    make("check", t(open ? "bulk.complete" : "bulk.reopen"), () => (single ? act(toggle, false, first.id) : completeMany(tasks)), { keys: "x" }),
    ...(single ? detailCommands(make) : []),
    ...NEAR_DAYS.map(([key, day]) => make("upcoming", `${t("field.dueDate")}: ${t(key)}`, () => scheduleMany(tasks, day()))),
    make("upcoming", `${t("field.dueDate")}: ${t("due.none")}`, () => scheduleMany(tasks, null)),
    ...LEVELS.map((level) => make("flag", `${t("field.priority")}: ${t(`priority.${level}`)}`, () => prioritizeMany(tasks, level), { current: tasks.every(({ priority }) => priority === level) })),
    ...tagCommands(tasks, make),
    make("trash", t("panel.delete"), () => (single ? act(remove, true, first.id) : removeMany(tasks)), { keys: "Del" }),
  ];
}

/** @typedef {(mark: string, words: string, run: () => void, more?: Partial<Command>) => Command} Make */

/** @param {Make} make */
const detailCommands = (make) => [
  make("note", t("help.open"), () => details(), { keys: "e" }),
  make("repeat", t("help.repeat"), () => details("repeat"), { keys: "s" }),
  make("bell", t("help.remind"), () => details("remind"), { keys: "r" }),
  make("all", t("help.pick"), () => pick(currentTask(), true), { keys: "X" }),
];

/** @param {Task[]} tasks @param {Make} make */
function tagCommands(tasks, make) {
  const own = new Set(tasks.flatMap(({ tags }) => tags));
  return countsOf(allTasks()).tags.map(({ tag }) => own.has(tag)
    ? make("tag", t("bulk.untag", { tag }), () => untagMany(tasks, tag))
    : make("tag", t("palette.tag", { tag }), () => tagMany(tasks, tag)));
}

/** @returns {Command[]} */
function placeCommands() {
  const group = t("palette.go");
  const here = addressOf(route().place);
  return [
    ...PLACES.map(([name, keys]) => to(group, { name }, name, t(`place.${name}`), here, keys)),
    ...savedViews().map(({ name, address }) => ({ group, mark: "view", words: name, run: () => visit(address) })),
    ...accountCommands(group, here),
    ...countsOf(allTasks()).tags.map(({ tag }) => to(group, { name: "tag", tag }, "tag", `#${tag}`, here)),
  ];
}

/** @param {string} group @param {string} here @returns {Command[]} */
function accountCommands(group, here) {
  const words = t("nav.settings");
  const pages = [
    { ...to(group, { name: "settings" }, "user", words, here), also: t("nav.account") },
    ...SETTINGS.map(([part, title]) => ({ group, mark: "user", words: `${words}: ${t(title)}`, deep: true, run: () => void showSettings(part) })),
  ];
  return state.user?.operator ? [...pages, { group, mark: "history", words: t("nav.ops"), run: () => location.assign("/ops") }] : pages;
}

/** @param {string} part */
async function showSettings(part) {
  visit("/settings");
  const { drawAccount } = await import("./account.js");
  drawAccount();
  const title = document.getElementById(`settings-${part}`);
  if (!title) return;
  title.tabIndex = -1;
  title.focus();
  title.scrollIntoView({ block: "center" });
}

/** @param {string} group @param {Place} place @param {string} mark @param {string} words @param {string} here @param {string} [keys] @returns {Command} */
const to = (group, place, mark, words, here, keys) => ({ group, mark, words, keys, current: addressOf(place) === here, run: () => visit(addressOf(place)) });

/** @returns {Command[]} */
function doingCommands() {
  const group = t("palette.do");
  const { place, lens } = route();
  const late = allTasks().filter((task) => !task.completed && task.dueDate && isOverdue(task.dueDate));
  const theme = document.documentElement.dataset.theme;
  /** @type {Omit<Command, "group">[]} */
  const commands = [
    { mark: "plus", words: t("help.quickAdd"), keys: "q", run: startAdding },
    { mark: "history", words: t("help.undo"), keys: "u", run: undoLast },
    ...(late.length ? [{ mark: "today", words: t("palette.moveLate"), run: () => moveToToday(late) }] : []),
    { mark: "all", words: t("bulk.all"), run: () => pickAll(shownTasks()) },
    ...SORTS.map((sort) => ({ mark: "order", words: `${t("filter.sort")}: ${t(`sort.${sort}`)}`, current: lens.sort === sort, run: () => show(place, { ...lens, sort, order: "" }) })),
    ...THEMES.map((name) => ({ mark: "today", words: `${t("nav.theme")}: ${t(`theme.${name}`)}`, current: theme === name, run: () => useTheme(name) })),
    { mark: "note", words: t("nav.help"), keys: "?", run: openHelp },
    // With unsent changes it takes a second thought, which the button in the account menu asks for.
    ...(ops.length ? [] : [{ mark: "user", words: t("nav.signOut"), run: () => void signOut() }]),
  ];
  return commands.map((command) => ({ group, ...command }));
}

/** @param {Place} place @param {Lens} lens */
const show = (place, lens) => go(addressOf(place, lens));

/** @param {string} typed @returns {Command[]} */
function taskCommands(typed) {
  const group = t("palette.tasks");
  const scored = allTasks().map((task) => ({ task, score: fit(typed, task.title) - (task.completed ? 0.5 : 0) })).filter(({ score }) => score > 0);
  return scored.sort((a, b) => b.score - a.score).slice(0, MOST_TASKS).map(({ task }) => ({
    group, mark: task.completed ? "completed" : "note", words: task.title, run: () => go(`/task/${task.id}`),
  }));
}

/** What the typed words themselves can become. @param {string} typed @returns {Command[]} */
function typedCommands(typed) {
  const group = t("palette.typed");
  const { fields } = parse(typed);
  const search = { group, mark: "search", words: t("palette.search", { text: typed }), keys: "/", run: () => visit(addressOf({ name: "search" }, { q: typed })) };
  return fields.title ? [search, { group, mark: "plus", words: t("palette.add", { text: typed }), run: () => addHere(fields) }] : [search];
}
