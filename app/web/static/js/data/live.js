/** The WebSocket: one connection that comes back by itself and says honestly how it is. Knows frames, not tasks. */

/** @import { Connection, Frame } from "../types" */

const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 15_000;
const PING_EVERY_MS = 25_000;
/** A peer that does not answer a ping for this long is gone, whatever TCP believes. */
const PONG_WITHIN_MS = 8000;
const SIGNED_OUT = 4401;

export class Live {
  /** @type {WebSocket | null} */
  #socket = null;
  #retryMs = FIRST_RETRY_MS;
  #retry = 0;
  #ping = 0;
  #deadline = 0;
  #stopped = false;
  /** Whether the address of the present connection says behind which position to go on. */
  asked = false;

  /**
   * @param {{frame: (frame: any) => void, status: (status: Connection) => void, lost: (code: number) => void, since: () => number | null}} handlers
   *   `lost` hears of every connection that ended, with its close code; `since` says behind which position to go on.
   *   It is part of the address: whoever asks only after hello may see what is new before what it missed.
   */
  constructor(handlers) {
    this.handlers = handlers;
    addEventListener("online", () => this.open(true));
    addEventListener("offline", () => this.#end());
    document.addEventListener("visibilitychange", () => document.hidden || this.#check());
  }

  /** @param {boolean} [now] does not wait for the next try */
  open(now = false) {
    clearTimeout(this.#retry);
    if (this.#stopped || !navigator.onLine || (this.#socket && this.#socket.readyState < WebSocket.CLOSING)) return;
    if (now) this.#retryMs = FIRST_RETRY_MS;
    const since = this.handlers.since();
    this.asked = since !== null;
    const socket = new WebSocket(location.origin.replace(/^http/u, "ws") + "/ws" + (since === null ? "" : `?since=${since}`));
    this.#socket = socket;
    socket.onmessage = (event) => socket === this.#socket && this.#receive(JSON.parse(event.data));
    socket.onclose = (event) => socket === this.#socket && this.#closed(event.code);
  }

  /** @param {object} message */
  send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  /** Ends it for good: signed out. */
  stop() {
    this.#stopped = true;
    this.#end();
  }

  /** @param {Frame} frame */
  #receive(frame) {
    clearTimeout(this.#deadline);
    if (frame.type === "hello") this.#opened();
    if (frame.type !== "pong") this.handlers.frame(frame);
  }

  #opened() {
    this.#retryMs = FIRST_RETRY_MS;
    clearInterval(this.#ping);
    this.#ping = window.setInterval(() => this.#check(), PING_EVERY_MS);
    this.handlers.status("live");
  }

  #check() {
    if (this.#socket?.readyState !== WebSocket.OPEN) return this.open(true);
    this.send({ type: "ping" });
    clearTimeout(this.#deadline);
    this.#deadline = window.setTimeout(() => this.#end(), PONG_WITHIN_MS);
  }

  /** Lets go of a socket without waiting for a peer that may never answer. */
  #end() {
    const socket = this.#socket;
    if (!socket) return;
    this.#closed(1006);
    socket.close();
  }

  /** @param {number} code */
  #closed(code) {
    this.#socket = null;
    clearInterval(this.#ping);
    clearTimeout(this.#deadline);
    if (code === SIGNED_OUT) this.#stopped = true;
    this.handlers.status(navigator.onLine ? "reconnecting" : "offline");
    this.handlers.lost(code);
    if (this.#stopped) return;
    const wait = this.#retryMs * (0.5 + Math.random());
    this.#retryMs = Math.min(this.#retryMs * 2, MAX_RETRY_MS);
    clearTimeout(this.#retry);
    this.#retry = window.setTimeout(() => this.open(), wait);
  }
}
