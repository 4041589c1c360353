/**
 * What people rely on and what is slow just now: `GET /api/status`. Asked rarely, since it is seldom news, and told
 * calmly, where the page says that it is offline.
 */

import { t, tOr } from "../core/messages.js";
import { call, UnreachableError } from "./api.js";
import { changed, state, subscribe } from "./store.js";

/** @typedef {{part: string, sentence: string, waiting: number | null}} Late */

/** How often to ask while all is well, and while it is not: people like to see it heal. */
const EVERY_MS = 60_000;
const MEANWHILE_MS = 15_000;
/** Not before the page is there, and not in the moment in which the server refuses. */
const SOON_MS = 1500;

/** @type {Late[]} */
let late = [];
let timer = 0;
/** Whether it was time to ask while nobody looked, or nobody could have answered. */
let due = false;

/** One sentence for each thing that is late; nothing when all is well. */
export const lateWords = () => late.map(words).join(" ");

/** @param {Late} part */
const words = ({ part, sentence, waiting }) =>
  part === "email" && waiting ? t("status.emailWaiting", { n: waiting }) : tOr("status.", part, sentence);

/** Asks from now on, while somebody is signed in and looks; and soon after the server has refused something. */
export function startStatus() {
  let known = "";
  subscribe(() => {
    const now = `${state.user?.id} ${state.degraded}`;
    if (state.user && now !== known) later(SOON_MS);
    known = now;
  });
  const again = () => void (due && ask());
  document.addEventListener("visibilitychange", again);
  addEventListener("online", again);
}

/** @param {number} ms */
function later(ms) {
  clearTimeout(timer);
  timer = window.setTimeout(() => void ask(), ms);
}

async function ask() {
  due = document.hidden || !navigator.onLine;
  if (due) return;
  const answer = await call("GET", "/api/status").catch((error) => {
    if (error instanceof UnreachableError) return null;
    throw error;
  });
  if (answer?.status === 401) return;
  const before = lateWords();
  if (answer?.ok) late = answer.data.degraded ?? [];
  later(late.length ? MEANWHILE_MS : EVERY_MS);
  if (lateWords() !== before) changed();
}
