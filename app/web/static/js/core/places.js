/** Which tasks a place shows, in which order and groups. Pure: tasks in, groups out. */

import { addDays, dayOf, dayWords, isDay, isOverdue, longDay, today } from "./dates.js";
import { locale, t } from "./messages.js";
import { newestFirst } from "../data/store.js";

/** @import { Group, Lens, Place, Priority, Task } from "../types" */

/** @type {Record<Priority, number>} */
const RANK = { urgent: 0, high: 1, medium: 2, low: 3 };

/** @type {WeakMap<Task, string>} what a search looks through, folded once per version of a task */
const haystacks = new WeakMap();

/** As the server folds, by and large. Not by locale: that is ten times slower, and the server does not either. @param {string} text */
const folded = (text) => text.normalize().toLowerCase().replaceAll("ß", "ss").replaceAll("ς", "σ").replaceAll("i\u0307", "i");

/** @param {Task} task */
function haystack(task) {
  let text = haystacks.get(task);
  if (text === undefined) haystacks.set(task, (text = folded([task.title, task.description, ...task.tags].join("\n"))));
  return text;
}

/** Folds what will be searched, before the first letter needs it. @param {Task[]} tasks */
export const readyToSearch = (tasks) => tasks.forEach(haystack);

/** @param {Lens} lens whether it leaves tasks out that its place would show */
export const isFiltered = (lens) => Boolean(lens.q || lens.tags.length || lens.priority.length || lens.dueAfter || lens.dueBefore || lens.completed);

/** @param {Lens} lens @returns {(task: Task) => boolean} */
function passes(lens) {
  if (!isFiltered(lens)) return () => true;
  const words = folded(lens.q).split(/\s+/u).filter(Boolean);
  const tags = lens.tags.map(folded);
  return (task) =>
    (!lens.priority.length || lens.priority.includes(task.priority)) &&
    inTime(lens, task.dueDate) &&
    tags.every((tag) => task.tags.some((own) => folded(own) === tag)) &&
    words.every((word) => haystack(task).includes(word));
}

/** From its first day up to, but not on, its last one, as in the API. @param {Lens} lens @param {string | null} due */
function inTime({ dueAfter, dueBefore }, due) {
  if (!dueAfter && !dueBefore) return true;
  const day = due ? dayOf(due) : "";
  return day !== "" && day >= dueAfter && (!dueBefore || day < dueBefore);
}

const collator = new Intl.Collator(locale(), { numeric: true, sensitivity: "base" });

/** @param {string} a @param {string} b */
const plain = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

/** @param {Task} task a key under which days come after the moments of the day, and no date comes last */
const dueKey = ({ dueDate }) => (dueDate ? dayOf(dueDate) + (isDay(dueDate) ? "~" : dueDate) : "~");

/** @type {Record<Exclude<Lens["sort"], "">, (a: Task, b: Task) => number>} each with its natural direction */
const ORDERS = {
  createdAt: newestFirst,
  dueDate: (a, b) => plain(dueKey(a), dueKey(b)) || RANK[a.priority] - RANK[b.priority],
  priority: (a, b) => RANK[a.priority] - RANK[b.priority] || plain(dueKey(a), dueKey(b)),
  title: (a, b) => collator.compare(a.title, b.title),
};

/** @param {Task} a @param {Task} b */
const byCompletion = (a, b) => plain(b.completedAt ?? "", a.completedAt ?? "");

/**
 * @param {Place} place
 * @param {Lens} lens
 * @param {Task[]} tasks newest first
 * @param {Set<string>} lingering completed a moment ago: shown where they were
 * @returns {Group[]}
 */
export function groupsOf(place, lens, tasks, lingering) {
  if (place.name === "missing" || place.name === "settings") return [];
  const found = tasks.filter(passes(lens));
  const open = found.filter((task) => !task.completed || lingering.has(task.id));
  const done = () => found.filter((task) => task.completed && !lingering.has(task.id)).sort(byCompletion);
  /** @param {Task[]} list @param {(a: Task, b: Task) => number} [natural] */
  const ordered = (list, natural) => sorted(list, lens, natural);
  if (place.name === "today") return todayGroups(open, ordered);
  if (place.name === "upcoming") return upcomingGroups(open, ordered, lens);
  if (place.name === "completed") return grouped(ordered(done()), (task) => dayOf(task.completedAt ?? ""), lens);
  if (place.name === "search") {
    if (!isFiltered(lens)) return [];
    const [some, others] = [lens.completed !== "true" ? open : [], lens.completed !== "false" ? done() : []];
    return [group("open", "", ordered(some)), group("done", t("place.completed"), ordered(others))].filter(filled);
  }
  const tag = folded(place.tag ?? "");
  const some = lens.completed === "true" ? done() : open;
  const all = ordered(place.tag ? some.filter((task) => task.tags.some((own) => folded(own) === tag)) : some);
  return lens.sort === "priority" ? priorityGroups(all) : [group("all", "", all)];
}

/** @param {Task[]} list @param {Lens} lens @param {(a: Task, b: Task) => number} [natural] */
function sorted(list, lens, natural) {
  const compare = lens.sort ? ORDERS[lens.sort] : natural;
  if (compare) list = [...list].sort(compare);
  const backwards = lens.sort && lens.order && lens.order !== naturalOrder(lens.sort);
  return backwards ? list.reverse() : list;
}

/** @param {Lens["sort"]} sort */
export const naturalOrder = (sort) => (sort === "createdAt" || sort === "priority" ? "desc" : "asc");

/** @param {string} key @param {string} heading @param {Task[]} tasks @returns {Group} */
const group = (key, heading, tasks) => ({ key, heading, tasks });

/** @param {Group} each */
const filled = (each) => each.tasks.length > 0;

/** @typedef {(list: Task[], natural?: (a: Task, b: Task) => number) => Task[]} Ordered */

/** @param {Task[]} open @param {Ordered} ordered */
function todayGroups(open, ordered) {
  const now = today();
  const due = open.filter(({ dueDate }) => dueDate && dayOf(dueDate) <= now);
  /** @param {Task} task */
  const past = ({ dueDate }) => dayOf(dueDate ?? "") < now;
  const overdue = { ...group("overdue", t("list.overdue"), ordered(due.filter(past), ORDERS.dueDate)), tone: "late" };
  /** @type {Group} */
  const rest = group("today", `${dayWords(now)} · ${longDay(now)}`, ordered(due.filter((task) => !past(task)), ORDERS.dueDate));
  rest.drop = `due:${now}`;
  return /** @type {Group[]} */ ([overdue, rest]).filter(filled);
}

/** @param {Task[]} open @param {Ordered} ordered @param {Lens} lens */
function upcomingGroups(open, ordered, lens) {
  const from = addDays(today(), 1);
  const due = open.filter(({ dueDate }) => dueDate && dayOf(dueDate) >= from);
  const list = ordered(due, ORDERS.dueDate);
  // Another order than by date is one within each day; the order by date is that of the days as well, also backwards.
  if (lens.sort && lens.sort !== "dueDate") list.sort((a, b) => plain(dayOf(a.dueDate ?? ""), dayOf(b.dueDate ?? "")));
  return grouped(list, (task) => dayOf(task.dueDate ?? "")).map((each) => ({ ...each, drop: `due:${each.key}` }));
}

/** @param {Task[]} list already in that order @returns {Group[]} */
function priorityGroups(list) {
  /** @type {Partial<Record<Priority, Task[]>>} */
  const levels = {};
  for (const task of list) (levels[task.priority] ??= []).push(task);
  return Object.entries(levels).map(([level, tasks]) => {
    const name = /** @type {Priority} */ (level);
    return { ...group(level, t(`priority.${name}`), tasks), drop: `priority:${level}` };
  });
}

/**
 * @param {Task[]} list
 * @param {(task: Task) => string} dayFor
 * @param {Lens} [lens] another order than by day makes one group
 */
function grouped(list, dayFor, lens) {
  if (lens?.sort) return [group("all", "", list)].filter(filled);
  /** @type {Map<string, Group>} */
  const days = new Map();
  for (const task of list) {
    const day = dayFor(task);
    if (!days.has(day)) days.set(day, group(day, headingOf(day), []));
    days.get(day)?.tasks.push(task);
  }
  return [...days.values()];
}

/** @param {string} day */
function headingOf(day) {
  const words = dayWords(day);
  return Math.abs(Date.parse(day) - Date.parse(today())) <= 86_400_000 ? `${words} · ${longDay(day)}` : longDay(day);
}

/** @type {{tasks: Task[], now: number, result: ReturnType<typeof count>} | undefined} */
let counted;

/**
 * Counts for the navigation; the same list is not counted twice within a minute.
 * @param {Task[]} tasks
 */
export function countsOf(tasks) {
  const now = Math.floor(Date.now() / 60_000);
  if (counted?.tasks !== tasks || counted.now !== now) counted = { tasks, now, result: count(tasks) };
  return counted.result;
}

/** @param {Task[]} tasks */
function count(tasks) {
  const now = today();
  const counts = { inbox: 0, today: 0, overdue: 0, upcoming: 0 };
  /** @type {Map<string, {tag: string, count: number}>} */
  const tags = new Map();
  for (const task of tasks) {
    if (task.completed) continue;
    counts.inbox += 1;
    if (task.dueDate) {
      const day = dayOf(task.dueDate);
      counts[day <= now ? "today" : "upcoming"] += 1;
      if (isOverdue(task.dueDate)) counts.overdue += 1;
    }
    for (const tag of task.tags) {
      const key = folded(tag);
      const known = tags.get(key);
      if (known) known.count += 1;
      else tags.set(key, { tag, count: 1 });
    }
  }
  return { counts, tags: [...tags.values()].sort((a, b) => collator.compare(a.tag, b.tag)) };
}
