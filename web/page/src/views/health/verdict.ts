import type { FunctionHealth, Health } from "../../api/types.ts";
import { clock, count, duration, multiple, percent, rate } from "../../i18n/format.ts";
import { t } from "../../i18n/locale.ts";
import { functionName } from "./words.ts";

/** Which function holds up the rest, and why: a sentence, the figures it follows from, what to do. */
export interface Verdict {
  state: "ok" | NonNullable<Health["bottleneck"]>["why"];
  sentence: string;
  figures: string[];
  advice: string;
  /** The suite's own words for what went wrong last. */
  error: string;
}

/** The verdict of an answer. */
export function verdict(health: Health): Verdict {
  const { bottleneck, functions } = health;
  if (bottleneck === null)
    return { state: "ok", sentence: t("health.fine"), figures: flow(functions), advice: "", error: "" };
  const { why } = bottleneck;
  const blamed = functions.find((one) => one.name === bottleneck.function);
  const others = functions.filter(
    (one) => one.name !== bottleneck.function && !["ok", "idle"].includes(one.state),
  );
  return {
    state: why,
    sentence: sentence(bottleneck, blamed?.last_seen ?? null),
    figures: figures(bottleneck),
    advice: [
      t(`health.advice_${why}`),
      ...(others.length > 0 ? [t("health.others", { count: others.length })] : []),
    ].join(" "),
    error: why === "failing" || why === "silent" ? (blamed?.last_error?.reason ?? "") : "",
  };
}

/** How much comes in, and how much of it is counted. */
function flow(functions: FunctionHealth[]): string[] {
  const comes = functions.find((one) => one.name === "ingest")?.events_in_per_second ?? null;
  const counted = functions.find((one) => one.name === "aggregate")?.events_out_per_second ?? null;
  if (comes === null || counted === null) return [];
  return [t("health.flow", { comes: rate(comes), counted: rate(counted) })];
}

function sentence(
  { function: name, why, waiting, oldest_ms, busy, failures_per_second }: NonNullable<Health["bottleneck"]>,
  lastSeen: string | null,
): string {
  const blamed = functionName(name);
  switch (why) {
    case "silent":
      return lastSeen === null
        ? t("health.silent_always", { function: blamed })
        : t("health.silent_since", { function: blamed, time: clock(Date.parse(lastSeen)) });
    case "failing":
      return failures_per_second
        ? t("health.failing_often", { function: blamed, rate: rate(failures_per_second) })
        : t("health.failing_last", { function: blamed });
    case "behind":
      return t("health.behind", { function: blamed, count: waiting ?? 0, age: duration(oldest_ms) });
    case "busy":
      return t("health.busy", { function: blamed, share: percent(busy) });
  }
}

function figures({
  waiting,
  oldest_ms,
  busy,
  failures_per_second,
}: NonNullable<Health["bottleneck"]>): string[] {
  const known: [string, string | null][] = [
    [t("health.waiting"), waiting === null ? null : count(waiting)],
    [t("health.oldest"), oldest_ms === null ? null : duration(oldest_ms)],
    [t("health.busy_share"), busy === null ? null : percent(busy)],
    [t("health.failures"), failures_per_second ? perSecond(failures_per_second) : null],
  ];
  return known.flatMap(([label, value]) => (value === null ? [] : [t("health.figure", { label, value })]));
}

/** 1,234/s */
export const perSecond = (value: number | null): string =>
  value === null ? multiple(null) : t("health.per_second", { rate: rate(value) });
