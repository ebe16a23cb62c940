import { regional } from "./locale.ts";

type Format = Intl.NumberFormat | Intl.DateTimeFormat | Intl.RelativeTimeFormat;

const made = new Map<string, Format>();

function numbers(options: Intl.NumberFormatOptions): Intl.NumberFormat {
  return kept(`n${regional()}${JSON.stringify(options)}`, () => new Intl.NumberFormat(regional(), options));
}

function times(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  return kept(`t${regional()}${JSON.stringify(options)}`, () => new Intl.DateTimeFormat(regional(), options));
}

function kept<One extends Format>(key: string, make: () => One): One {
  const found = made.get(key) ?? make();
  made.set(key, found);
  return found as One;
}

/** What stands where a figure is not known. */
export const UNKNOWN = "–";

/** 12,345 */
export const count = (value: number | null | undefined): string =>
  value == null ? UNKNOWN : numbers({ maximumFractionDigits: 0 }).format(value);

/** +12, −3, 0: with a sign, so that no colour is needed. */
export const change = (value: number | null | undefined): string =>
  value == null ? UNKNOWN : numbers({ maximumFractionDigits: 0, signDisplay: "exceptZero" }).format(value);

/** ± 12: one standard error of a count; nothing where the count is exact. */
export const error = (value: number | null | undefined): string => (value ? `± ${count(value)}` : "");

/** 12.3K: for axes and narrow places. */
export const compact = (value: number | null | undefined): string =>
  value == null ? UNKNOWN : numbers({ notation: "compact", maximumSignificantDigits: 3 }).format(value);

/** 1.25: a number that is no count. */
export const decimal = (value: number | null | undefined): string =>
  value == null ? UNKNOWN : numbers({ maximumFractionDigits: 2 }).format(value);

/** 0.0123 → 1.23% */
export const percent = (value: number | null | undefined): string =>
  value == null ? UNKNOWN : numbers({ style: "percent", maximumFractionDigits: 2 }).format(value);

/** 0.2 → +20%: with a sign, so that no colour is needed. */
export const signedPercent = (value: number): string =>
  numbers({ style: "percent", maximumFractionDigits: 1, signDisplay: "exceptZero" }).format(value);

/** 2.34 → 2.3: how many times as much, without the word for it. */
export const multiple = (value: number | null | undefined): string =>
  value == null ? UNKNOWN : numbers({ maximumSignificantDigits: value < 10 ? 2 : 3 }).format(value);

/** 1,234 or 0.042: how many a second, without the unit. */
export const rate = (value: number | null | undefined): string =>
  value == null
    ? UNKNOWN
    : numbers(value >= 100 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 }).format(value);

/** 20 480 → 20.5 kB */
export function bytes(value: number | null | undefined): string {
  if (value == null) return UNKNOWN;
  const [scaled, unit] =
    value < 1_000
      ? [value, "byte"]
      : value < 1_000_000
        ? [value / 1_000, "kilobyte"]
        : [value / 1_000_000, "megabyte"];
  return numbers({ style: "unit", unit, unitDisplay: "short", maximumFractionDigits: 1 }).format(scaled);
}

/** Milliseconds as ms, s, min or h, whichever reads best. */
export function duration(ms: number | null | undefined): string {
  if (ms == null) return UNKNOWN;
  const [value, unit] =
    ms < 1_000
      ? [ms, "millisecond"]
      : ms < 60_000
        ? [ms / 1_000, "second"]
        : ms < 3_600_000
          ? [ms / 60_000, "minute"]
          : [ms / 3_600_000, "hour"];
  return numbers({
    style: "unit",
    unit,
    unitDisplay: "short",
    maximumFractionDigits: ms < 10 || ms >= 1_000 ? 1 : 0,
  }).format(value);
}

/** 4500 kbit/s → 4.5 Mbit/s */
export function bitrate(kbps: number | null | undefined): string {
  if (kbps == null) return UNKNOWN;
  const [value, unit] = kbps < 1_000 ? [kbps, "kilobit-per-second"] : [kbps / 1_000, "megabit-per-second"];
  return numbers({ style: "unit", unit, unitDisplay: "short", maximumFractionDigits: 2 }).format(value);
}

/** 18:04:05 in the browser's time zone. */
export const clock = (ms: number): string =>
  times({ hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(ms);

/** 18:04 */
export const shortClock = (ms: number): string => times({ hour: "2-digit", minute: "2-digit" }).format(ms);

/** 20 Nov, 18:04 */
export const dayAndClock = (ms: number): string =>
  times({ day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" }).format(ms);

/** 20 Nov, 18:04 – 19:04: from one moment to another, the day told once where it is one. */
export const fromTo = (from: number, to: number): string =>
  times({ day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" }).formatRange(from, to);

/** 20 Nov */
export const day = (ms: number): string => times({ day: "numeric", month: "short" }).format(ms);

const DAY_MS = 86_400_000;
const midnight = (ms: number): number => new Date(ms).setHours(0, 0, 0, 0);

/** "in 12 minutes", "2 hours ago": how long after another moment one is; both ms since the epoch. */
export function relative(ms: number, to: number): string {
  const minutes = Math.trunc((ms - to) / 60_000);
  const [value, unit]: [number, Intl.RelativeTimeFormatUnit] =
    Math.abs(minutes) < 60
      ? [minutes, "minute"]
      : Math.abs(minutes) < 24 * 60
        ? [Math.round(minutes / 60), "hour"]
        : [Math.round((midnight(ms) - midnight(to)) / DAY_MS), "day"]; // "tomorrow" is what the calendar says
  return kept(`r${regional()}`, () => new Intl.RelativeTimeFormat(regional(), { numeric: "auto" })).format(
    value,
    unit,
  );
}
