/** Spans, moments and numbers in words, short enough for a picture. */

import { locale, t } from "../core/messages.js";

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;
/** Below this, "now" says more than a number. */
const NOW_SECONDS = 2;

/** @type {Map<string, Intl.NumberFormat>} */
const formats = new Map();

/** @param {number} value @param {Intl.NumberFormatOptions} options */
function format(value, options) {
  const key = JSON.stringify(options);
  const made = formats.get(key) ?? new Intl.NumberFormat(locale(), options);
  formats.set(key, made);
  return made.format(value);
}

/** @param {number} value @param {string} unit @param {number} [digits] */
const unit = (value, unit, digits = 0) =>
  format(value, { style: "unit", unit, unitDisplay: "narrow", minimumFractionDigits: digits, maximumFractionDigits: digits });

/** @param {number} value @param {number} [digits] at most */
export const number = (value, digits = 0) => format(value, { maximumFractionDigits: digits });

/**
 * The two largest units: "3d 4h", "2.1s", "4ms".
 * @param {number} seconds
 */
export function span(seconds) {
  if (seconds < 1) return unit(Math.max(0, Math.round(seconds * 1000)), "millisecond");
  if (seconds < 10) return unit(seconds, "second", Number.isInteger(seconds) ? 0 : 1);
  if (seconds < MINUTE) return unit(Math.floor(seconds), "second");
  if (seconds < HOUR) return pair(seconds, MINUTE, "minute", 1, "second");
  if (seconds < DAY) return pair(seconds, HOUR, "hour", MINUTE, "minute");
  return pair(seconds, DAY, "day", HOUR, "hour");
}

/** @param {number} seconds @param {number} large @param {string} largeUnit @param {number} small @param {string} smallUnit */
function pair(seconds, large, largeUnit, small, smallUnit) {
  const rest = Math.floor((seconds % large) / small);
  const first = unit(Math.floor(seconds / large), largeUnit);
  return rest ? `${first} ${unit(rest, smallUnit)}` : first;
}

/** Seconds that are left: always in seconds, so that the eye can follow. @param {number} seconds */
export const left = (seconds) => (seconds < 10 ? unit(Math.max(0.1, seconds), "second", 1) : span(seconds));

/** @param {number} seconds that have passed */
export const ago = (seconds) => (seconds < NOW_SECONDS ? t("ops.justNow") : t("ops.ago", { span: span(Math.floor(seconds)) }));

/** A moment to the second, in the zone of who looks: what one compares with other clocks. @param {string | number} moment */
export const clock = (moment) =>
  new Date(moment).toLocaleTimeString(locale(), { hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** @param {string | number} moment */
export const dayAndClock = (moment) =>
  new Date(moment).toLocaleString(locale(), { dateStyle: "medium", timeStyle: "medium" });
