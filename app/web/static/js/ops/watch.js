/** Asks an address again and again while the page is visible, and says what it heard or that nobody answered. */

import { call, UnreachableError } from "../data/api.js";

/** @import { Answer } from "../data/api.js" */

/** Without an answer for this long, there is none: a wedged process keeps its connections. */
const PATIENCE_MS = 3000;
/** How soon to ask again when nobody answered. */
const AGAIN_MS = 1000;

export class Watch {
  #timer = 0;
  #stopped = true;
  /** Counts starts, so that an answer to an earlier one is not taken for ours. */
  #turn = 0;

  /**
   * @param {() => string} address
   * @param {number} everyMs
   * @param {(answer: Answer | null, tookMs: number) => void} hear null when nobody answered
   */
  constructor(address, everyMs, hear) {
    this.address = address;
    this.everyMs = everyMs;
    this.hear = hear;
    document.addEventListener("visibilitychange", () => {
      if (!this.#stopped && !document.hidden) this.start();
    });
  }

  /** Asks at once, and from then on. */
  start() {
    this.stop();
    this.#stopped = false;
    void this.#ask();
  }

  stop() {
    this.#stopped = true;
    this.#turn += 1;
    clearTimeout(this.#timer);
  }

  async #ask() {
    const turn = this.#turn;
    const began = Date.now();
    const answer = await patiently(this.address());
    if (turn !== this.#turn) return;
    this.hear(answer, Date.now() - began);
    if (turn !== this.#turn || document.hidden) return;
    const wait = answer?.problem.retryAfter ? answer.problem.retryAfter * 1000 : answer ? this.everyMs : Math.max(AGAIN_MS, this.everyMs);
    this.#timer = setTimeout(() => void this.#ask(), Math.max(0, began + wait - Date.now()));
  }
}

/** @param {string} address @returns {Promise<Answer | null>} */
async function patiently(address) {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), PATIENCE_MS);
  try {
    const answer = await call("GET", address, { signal: patience.signal });
    return answer.ok && answer.data === null ? null : answer;
  } catch (error) {
    if (error instanceof UnreachableError) return null;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
