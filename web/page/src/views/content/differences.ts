import type { Segment } from "../../api/types.ts";

/** What of a segment is compared, and which way is better for viewers; null where neither is. */
export interface Measure {
  name: "viewers" | "engagement" | "watched" | "rebuffering" | "startup" | "bitrate" | "errors";
  /** The key in docs/metrics.md. */
  definition: string;
  better: "more" | "less" | null;
  value: (segment: Segment) => number | null;
}

const perViewer = (sum: number, { viewers }: Segment): number | null => (viewers > 0 ? sum / viewers : null);

/** What segments are compared by. Sums are told for each viewer, or a large segment would always have the most. */
export const MEASURES: Measure[] = [
  { name: "viewers", definition: "viewers", better: null, value: ({ viewers }) => viewers },
  {
    name: "engagement",
    definition: "engagement_rate",
    better: "more",
    value: ({ engagement_rate }) => engagement_rate,
  },
  {
    name: "watched",
    definition: "watched_ms",
    better: "more",
    value: (segment) => perViewer(segment.watched_ms, segment),
  },
  {
    name: "rebuffering",
    definition: "rebuffering_ratio",
    better: "less",
    value: ({ rebuffering_ratio }) => rebuffering_ratio,
  },
  {
    name: "startup",
    definition: "segments: startup_ms_p50",
    better: "less",
    value: ({ startup_ms_p50 }) => startup_ms_p50,
  },
  { name: "bitrate", definition: "bitrate_kbps", better: "more", value: ({ bitrate_kbps }) => bitrate_kbps },
  {
    name: "errors",
    definition: "errors",
    better: "less",
    value: (segment) => perViewer(segment.errors, segment),
  },
];

export interface Difference {
  /** How much more, of what it is compared with: 0.2 is a fifth more; null where that is 0. */
  relative: number | null;
  verdict: "better" | "worse" | "same" | "more" | "less";
}

/** Smaller differences are none that people would see. */
const SAME = 0.005;

/** How a segment differs from the one it is compared with; null where either is not known. */
export function difference(measure: Measure, one: Segment, base: Segment): Difference | null {
  const value = measure.value(one);
  const before = measure.value(base);
  if (value === null || before === null) return null;
  const relative = before === 0 ? (value === 0 ? 0 : null) : value / before - 1;
  if (relative !== null && Math.abs(relative) < SAME) return { relative: 0, verdict: "same" };
  const direction = relative === null || relative > 0 ? "more" : "less";
  if (measure.better === null) return { relative, verdict: direction };
  return { relative, verdict: direction === measure.better ? "better" : "worse" };
}
