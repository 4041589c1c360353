/** Quick add: one line, understood while it is typed; what was typed survives a reload. */

import { $, h, icon, reconcile } from "../core/dom.js";
import { addDays, today } from "../core/dates.js";
import { later } from "../core/later.js";
import { t } from "../core/messages.js";
import { groupsOf } from "../core/places.js";
import { route } from "../core/router.js";
import { keep, read } from "../data/db.js";
import { taskOf } from "../data/store.js";
import { add } from "./actions.js";

/** @import { TaskFields } from "../types" */

const MAX_TITLE = 500;
/** Understanding words is fetched when somebody is about to write some. */
const words = later(() => import("../core/parse.js"));
const elsewhere = later(() => import("./elsewhere.js"));

/** @type {Set<string>} */
const dismissed = new Set();
/** Lines that were entered before words were understood, oldest first: fast hands do not wait for a download. @type {string[]} */
const entered = [];

const input = () => /** @type {HTMLInputElement} */ ($("#add-text"));

export async function startQuickAdd() {
  const narrow = matchMedia("(max-width: 560px)");
  input().placeholder = t(narrow.matches ? "add.hintShort" : "add.hint");
  input().addEventListener("input", () => {
    keepDraft();
    complain("");
    forget();
    draw();
  });
  input().addEventListener("focus", () => words.use(() => undefined), { once: true });
  $("#add").addEventListener("submit", submit);
  const [line = "", ...older] = ((await read("kv", "draft")) ?? "").split("\n").reverse();
  entered.unshift(...older.reverse());
  if (line && !input().value) input().value = line;
  if (entered.length) words.use(writeEntered);
  draw();
}

/** One line is being written; those above it wait to be understood. */
const keepDraft = () => void keep("draft", [...entered, input().value].join("\n"));

/** What was taken as plain text is so for as long as it stands in the line. */
function forget() {
  const line = input().value.toLowerCase();
  for (const part of dismissed) if (!line.includes(part)) dismissed.delete(part);
}

/** @param {string} message empty when all is well */
function complain(message) {
  $("#add-error").textContent = message;
  if (message) input().setAttribute("aria-invalid", "true");
  else input().removeAttribute("aria-invalid");
}

function draw() {
  const some = input().value.trim() !== "";
  $("#add").classList.toggle("typed", some);
  if (some) words.use(({ parse }) => drawChips(parse(input().value, dismissed).chips));
  else drawChips([]);
}

/** @param {import("../core/parse.js").Chip[]} chips */
function drawChips(chips) {
  reconcile($("#add-chips"), chips.map(({ kind, text, label }) => {
    const ignore = () => {
      for (const part of text.split("\n")) dismissed.add(part.toLowerCase());
      draw();
      input().focus();
    };
    const marks = /** @type {Record<string, string>} */ ({ due: "upcoming", tag: "tag", priority: "flag", repeat: "repeat" });
    const title = t("add.dismiss", { label, text: text.replace("\n", " ") });
    return h("li", {}, h("button", { type: "button", class: "chip", "aria-label": title, title, onclick: ignore }, icon(marks[kind] ?? "tag"), label, icon("close")));
  }));
}

/** @param {SubmitEvent} event */
function submit(event) {
  event.preventDefault();
  const line = input().value;
  if (!line.trim()) return complain(t("add.empty"));
  input().value = "";
  entered.push(line);
  keepDraft();
  words.use(writeEntered);
  draw();
}

/** @param {typeof import("../core/parse.js")} module */
function writeEntered({ parse }) {
  for (let line = entered.shift(); line !== undefined; line = entered.shift()) write(line, parse(line, dismissed).fields);
  keepDraft();
  draw();
}

/**
 * @param {string} line
 * @param {TaskFields & {title: string}} fields what it means
 */
function write(line, fields) {
  const wrong = !fields.title ? t("add.empty") : fields.title.length > MAX_TITLE ? t("add.long", { n: fields.title.length }) : "";
  if (!wrong) {
    addHere(fields);
    dismissed.clear();
    return;
  }
  complain(wrong);
  input().value ||= line;
}

/**
 * Adds a task to what is shown; where that leaves it out, it is said where it went.
 * @param {TaskFields & {title: string}} fields
 */
export function addHere(fields) {
  const found = placed(fields);
  const id = add(found);
  const { place, lens } = route();
  const task = taskOf(id);
  if (task && !groupsOf(place, lens, [task], new Set()).some(({ tasks }) => tasks.length)) elsewhere.use((loaded) => loaded.sayWhere(task));
}

/**
 * A task belongs where it was written: in Today it is due today, under a tag or a filter it gets what these ask for.
 * @param {TaskFields & {title: string}} fields
 */
function placed(fields) {
  const { place, lens } = route();
  const found = { ...fields, tags: [...(fields.tags ?? [])] };
  for (const tag of [place.tag ?? "", ...lens.tags]) {
    if (tag && !found.tags.some((own) => own.toLowerCase() === tag.toLowerCase())) found.tags.push(tag);
  }
  if (lens.priority.length === 1) found.priority ??= lens.priority[0];
  if (place.name === "today") found.dueDate ??= today();
  if (place.name === "upcoming") found.dueDate ??= addDays(today(), 1);
  return found;
}
