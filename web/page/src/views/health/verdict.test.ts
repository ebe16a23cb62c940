import { beforeAll, describe, expect, it } from "vitest";

import type { FunctionHealth, Health } from "../../api/types.ts";
import { setLocale } from "../../i18n/locale.ts";
import { staged } from "./pipeline.ts";
import { verdict } from "./verdict.ts";

const told = (name: string, details: Partial<FunctionHealth> = {}): FunctionHealth => ({
  name,
  kind: "stream",
  state: "ok",
  instances: 1,
  last_seen: "2026-11-20T12:00:00Z",
  calls_per_second: 1,
  failures_per_second: 0,
  events_in_per_second: 100,
  events_out_per_second: 90,
  busy: 0.5,
  duration_ms_p50: 1,
  duration_ms_p99: 2,
  waiting: 0,
  oldest_ms: 0,
  parked: 0,
  last_error: null,
  ...details,
});

const health = (
  functions: FunctionHealth[],
  blamed?: Partial<NonNullable<Health["bottleneck"]>>,
): Health => ({
  as_of: "2026-11-20T12:00:00Z",
  functions,
  lag: {
    events: 0,
    event_to_visible_ms_p50: null,
    event_to_visible_ms_p99: null,
    received_to_visible_ms_p50: null,
    received_to_visible_ms_p99: null,
  },
  bottleneck: blamed
    ? {
        function: "aggregate",
        why: "behind",
        waiting: 4_000,
        oldest_ms: 12_000,
        busy: 0.97,
        failures_per_second: 0,
        ...blamed,
      }
    : null,
  recent: {
    from: "2026-11-20T11:50:00Z",
    step_seconds: 10,
    event_to_visible_ms_p50: [],
    event_to_visible_ms_p99: [],
    functions: {},
  },
});

describe("the verdict on the suite", () => {
  beforeAll(() => setLocale("en", false));

  it("says that all keeps up, and with how much", () => {
    const found = verdict(health([told("ingest"), told("aggregate")]));

    expect(found.state).toBe("ok");
    expect(found.figures).toEqual(["100 events come in each second, 90 are counted."]);
  });

  it("names the bottleneck and the figures it follows from", () => {
    const found = verdict(health([told("aggregate", { state: "behind" })], {}));

    expect(found.sentence).toBe(
      "Aggregate holds up the rest: 4,000 records wait for it, the oldest for 12 sec.",
    );
    expect(found.figures).toEqual(["Waiting records: 4,000", "Oldest waits: 12 sec", "Busy: 97%"]);
  });

  it("says which others may suffer from it", () => {
    const functions = [
      told("aggregate", { state: "behind" }),
      told("archive", { state: "behind" }),
      told("watch", { state: "idle" }),
    ];

    expect(verdict(health(functions, {})).advice).toMatch(/One more function is in trouble/);
  });

  it("repeats the last error of what fails as it was told", () => {
    const reason = "<b>locked</b>";
    const failing = told("commit", { state: "failing", last_error: { at: "2026-11-20T12:00:00Z", reason } });
    const found = verdict(health([failing], { function: "commit", why: "failing", failures_per_second: 0 }));

    expect(found.sentence).toBe("Commit to history holds up the rest: its newest run failed.");
    expect(found.error).toBe(reason);
  });

  it("tells a function that was never heard of from one that fell silent", () => {
    const silent = { function: "<new>", why: "silent" } as const;

    expect(verdict(health([told("<new>", { last_seen: null })], silent)).sentence).toMatch(
      /^<new> .* told nothing/,
    );
    expect(verdict(health([told("<new>")], silent)).sentence).toMatch(/^<new> .* since/);
  });
});

describe("the pipeline", () => {
  it("shows every function once, those that nobody knew of with their kind", () => {
    const functions = [
      told("ingest", { kind: "http" }),
      told("brand_new"),
      told("roll", { kind: "schedule" }),
      told("audience", { kind: "http" }),
    ];

    expect(staged(functions).map(([stage, those]) => [stage, those.map((one) => one.name)])).toEqual([
      ["receive", ["ingest"]],
      ["stream", ["brand_new"]],
      ["schedule", ["roll"]],
      ["answer", ["audience"]],
    ]);
  });
});
