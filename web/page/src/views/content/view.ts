import { DIMENSIONS, type Dimension, type Resolution } from "../../api/types.ts";
import type { Span } from "../../parts/chart/model.ts";

/** How far back one looks: a length, or since the content's start. */
export const RANGES = ["15m", "1h", "3h", "start"] as const;
export type Range = (typeof RANGES)[number];

/** What one can split by here; how players stand (playing, paused) is no segment of people. */
export const SPLITS = DIMENSIONS.filter((one) => one !== "player_state");

/** What of the content is looked at, as the address says it. */
export interface View {
  range: Range;
  /** A stretch of its own choice; it goes before the range. */
  chosen: Span | null;
  /** Since when the view stands still, ms. */
  paused: number | null;
  split: Dimension | null;
  compare: string[];
}

/** What a view's range depends on, ms: the time now, and when the content began and ended, where that is known. */
export interface Times {
  now: number;
  start: number | null;
  end: number | null;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const LENGTHS: Record<Exclude<Range, "start">, number> = {
  "15m": 15 * MINUTE_MS,
  "1h": HOUR_MS,
  "3h": 3 * HOUR_MS,
};
/** An answer holds 9,600 hours. */
export const LONGEST_MS = 400 * DAY_MS;

/** How long a window of each resolution is. */
export const STEPS: Record<Resolution, number> = { "5s": 5_000, "1m": MINUTE_MS, "1h": HOUR_MS };

/** Read the address's parameters; what makes no sense counts as unset. */
export function viewOf(parameters: URLSearchParams): View {
  const from = time(parameters.get("from"));
  const to = time(parameters.get("to"));
  return {
    range: RANGES.find((one) => one === parameters.get("range")) ?? "1h",
    chosen: from !== null && to !== null && isChoice({ from, to }) ? { from, to } : null,
    paused: time(parameters.get("paused")),
    split: SPLITS.find((one) => one === parameters.get("split")) ?? null,
    compare: (parameters.get("compare") ?? "").split(",").filter(Boolean).map(decoded),
  };
}

/** Whether one may look at such a stretch. */
export const isChoice = ({ from, to }: Span): boolean => from < to && to - from <= LONGEST_MS;

/** The values to compare as the address holds them: they may be any text. */
export const compared = (values: string[]): string | null =>
  values.length > 0 ? values.map(encodeURIComponent).join(",") : null;

/** An instant as the address holds it. */
export const told = (ms: number): string => new Date(ms).toISOString();

/** The stretch of time that is shown. It moves with the time unless it was chosen, paused, or the content has ended. */
export function spanOf({ range, chosen, paused }: View, { now, start, end }: Times): Span {
  if (chosen) return chosen;
  const to = paused ?? end ?? now;
  const length = range === "start" ? Math.min(LONGEST_MS, to - (start ?? to - HOUR_MS)) : LENGTHS[range];
  return { from: to - Math.max(MINUTE_MS, length), to };
}

/** The finest windows that an answer of reasonable size holds for so long. */
export function resolutionOf({ from, to }: Span): Resolution {
  if (to - from <= HOUR_MS) return "5s";
  return to - from <= DAY_MS ? "1m" : "1h";
}

function time(text: string | null): number | null {
  const ms = text === null ? NaN : Date.parse(text);
  return Number.isNaN(ms) ? null : ms;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
