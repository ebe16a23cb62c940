import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { Failed, type Trouble } from "./client.ts";
import { Connection, LATE_MS, STANDING_MS } from "./connection.ts";

const ONE = {};
const OTHER = {};
const failure = (trouble: Trouble): Failed => new Failed(trouble, "");
const live = (asOf: string, delayMs: number | null = 0) => ({ as_of: asOf, delay_ms: delayMs });

describe("the connection", () => {
  beforeEach(() => void vi.useFakeTimers({ now: 1_000_000 }));
  afterEach(() => void vi.useRealTimers());

  it("is well as long as polls are answered", () => {
    const connection = new Connection();
    connection.answered(ONE, live("12:00:00"));
    expect(connection.fault).toBeNull();
  });

  it("says what is the matter and since when, until the poll is answered", () => {
    const connection = new Connection();
    connection.failed(ONE, failure("unreachable"));
    vi.advanceTimersByTime(4_000);
    connection.failed(ONE, failure("restarting"));
    expect(connection.fault).toEqual({ outage: "restarting", since: 1_000_000 });
    connection.answered(ONE, {});
    expect(connection.fault).toBeNull();
  });

  it("tells the worst that any poll meets", () => {
    const connection = new Connection();
    connection.failed(ONE, failure("busy"));
    connection.failed(OTHER, failure("offline"));
    expect(connection.fault?.outage).toBe("offline");
    connection.left(OTHER);
    expect(connection.fault?.outage).toBe("busy");
  });

  it("leaves to the view what does not pass by itself", () => {
    const connection = new Connection();
    for (const trouble of ["forbidden", "missing", "refused", "sign-in"] as const)
      connection.failed(ONE, failure(trouble));
    expect(connection.fault).toBeNull();
  });

  it("knows that a key is needed, until one opens", () => {
    const connection = new Connection();
    connection.failed(ONE, failure("sign-in"));
    expect(connection.locked).toBe(true);
    connection.answered(ONE, {});
    expect(connection.locked).toBe(false);
  });

  it("takes figures that are far behind for late", () => {
    const connection = new Connection();
    connection.answered(ONE, live("12:00:00", LATE_MS));
    expect(connection.fault).toBeNull();
    connection.answered(ONE, live("12:00:02", LATE_MS + 1));
    expect(connection.fault?.outage).toBe("late");
  });

  it("takes figures that stand still for late, and their moving on for the end of it", () => {
    const connection = new Connection();
    connection.answered(ONE, live("12:00:00", null));
    vi.advanceTimersByTime(STANDING_MS);
    connection.answered(ONE, live("12:00:00", null));
    expect(connection.fault?.outage).toBe("late");
    connection.answered(ONE, live("12:00:16", null));
    expect(connection.fault).toBeNull();
  });

  it("does not take a sleep for figures that stand still", () => {
    const connection = new Connection();
    connection.answered(ONE, live("12:00:00"));
    vi.advanceTimersByTime(3_600_000);
    connection.answered(ONE, live("13:00:00"));
    expect(connection.fault).toBeNull();
  });

  it("expects of what is not live no hurry", () => {
    const connection = new Connection();
    connection.answered(ONE, { as_of: "12:00:00" });
    vi.advanceTimersByTime(600_000);
    connection.answered(ONE, { as_of: "12:00:00" });
    expect(connection.fault).toBeNull();
  });
});
