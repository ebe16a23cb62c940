import type { ReactiveControllerHost } from "lit";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { Failed } from "./client.ts";
import { connection } from "./connection.ts";
import { Poll, type World } from "./poll.ts";

const EVERY = 2_000;

function host(): ReactiveControllerHost {
  return {
    addController: () => undefined,
    removeController: () => undefined,
    requestUpdate: vi.fn(),
    updateComplete: Promise.resolve(true),
  };
}

describe("a poll", () => {
  const asked = vi.fn<(path: string, signal: AbortSignal) => Promise<unknown>>();
  let hidden = false;
  let chance = 0.5;
  let poll: Poll<number>;

  beforeEach(() => {
    vi.useFakeTimers();
    asked.mockReset().mockResolvedValue(1);
    hidden = false;
    chance = 0.5;
    vi.spyOn(document, "hidden", "get").mockImplementation(() => hidden);
    poll = another();
  });

  afterEach(() => {
    poll.hostDisconnected();
    vi.useRealTimers();
  });

  function another(): Poll<number> {
    const world = { fetch: asked, random: () => chance, hidden: () => hidden } as World;
    return new Poll<number>(host(), EVERY, undefined, world);
  }

  async function begin(): Promise<void> {
    poll.ask("/v1/overview");
    poll.hostConnected();
    await vi.advanceTimersByTimeAsync(0);
  }

  const fails = (trouble: "restarting" | "busy" | "missing", retryAfterMs: number | null = null): void => {
    asked.mockRejectedValue(new Failed(trouble, "", 503, retryAfterMs));
  };

  it("asks at once, and again when it is due", async () => {
    await begin();
    expect(asked).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(EVERY - 1);
    expect(asked).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(asked).toHaveBeenCalledTimes(2);
  });

  it("asks nothing before its host is on the page, and nothing after", async () => {
    poll.ask("/v1/overview");
    await vi.advanceTimersByTimeAsync(10 * EVERY);
    expect(asked).not.toHaveBeenCalled();
    poll.hostConnected();
    poll.hostDisconnected();
    await vi.advanceTimersByTimeAsync(10 * EVERY);
    expect(asked).toHaveBeenCalledTimes(1);
  });

  it.each([
    [0, 0.8],
    [1, 1.2],
  ])("is staggered: a tab that draws %i waits %f times the interval", async (drawn, factor) => {
    chance = drawn;
    await begin();
    await vi.advanceTimersByTimeAsync(factor * EVERY - 1);
    expect(asked).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(asked).toHaveBeenCalledTimes(2);
  });

  it("asks rarely while nobody looks, and at once when somebody does", async () => {
    hidden = true;
    await begin();
    await vi.advanceTimersByTimeAsync(14 * EVERY);
    expect(asked).toHaveBeenCalledTimes(1);
    hidden = false;
    document.dispatchEvent(new Event("visibilitychange"));
    expect(asked).toHaveBeenCalledTimes(2);
  });

  it("backs off further with each failure, to half a minute at most, and keeps the last answer", async () => {
    await begin();
    fails("restarting");
    chance = 1;
    const waits: number[] = [];
    await vi.advanceTimersByTimeAsync(2 * EVERY);
    for (let nth = 0; nth < 6; nth++) {
      const before = asked.mock.calls.length;
      const since = Date.now();
      while (asked.mock.calls.length === before) await vi.advanceTimersToNextTimerAsync();
      waits.push(Date.now() - since);
    }
    expect(waits.slice(1)).toEqual(waits.slice(1).sort((a, b) => a - b));
    expect(waits.at(-1)).toBe(30_250);
    expect(poll.answer).toBe(1);
    expect(poll.failed?.trouble).toBe("restarting");
  });

  it("keeps looking for what is not there yet", async () => {
    fails("missing");
    chance = 1;
    await begin();
    await vi.advanceTimersByTimeAsync(60_000);
    asked.mockClear();
    await vi.advanceTimersByTimeAsync(5_250);
    expect(asked).toHaveBeenCalledTimes(1);
  });

  it("forgets a failure with the first answer", async () => {
    fails("restarting");
    await begin();
    asked.mockResolvedValue(2);
    await vi.advanceTimersByTimeAsync(10 * EVERY);
    expect(poll.failed).toBeNull();
    expect(poll.answer).toBe(2);
  });

  it("does not come again before it was told to, and not all tabs at that very moment", async () => {
    fails("busy", 20_000);
    await begin();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(asked).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(2 * EVERY);
    expect(asked).toHaveBeenCalledTimes(2);
  });

  it("never has two requests under way", async () => {
    asked.mockReturnValue(new Promise(() => undefined));
    await begin();
    await vi.advanceTimersByTimeAsync(10 * EVERY);
    expect(asked).toHaveBeenCalledTimes(1);
    poll.again();
    expect(asked).toHaveBeenCalledTimes(2);
    expect(asked.mock.calls[0]?.[1].aborted).toBe(true);
    expect(asked.mock.calls[1]?.[1].aborted).toBe(false);
  });

  it("does not take the answer to an earlier question for one to this", async () => {
    let late: (answer: number) => void = () => undefined;
    asked.mockReturnValueOnce(new Promise((resolve) => (late = resolve)));
    await begin();
    poll.ask("/v1/overview?q=final");
    await vi.advanceTimersByTimeAsync(0);
    late(99);
    await vi.advanceTimersByTimeAsync(0);
    expect(poll.answer).toBe(1);
  });

  it("stops when there is nothing to ask", async () => {
    await begin();
    poll.ask(null);
    await vi.advanceTimersByTimeAsync(10 * EVERY);
    expect(asked).toHaveBeenCalledTimes(1);
    expect(poll.answer).toBeNull();
  });

  it("asks at once after sleep, in which no timer ran", async () => {
    chance = 1;
    fails("restarting", 60_000);
    await begin();
    asked.mockResolvedValue(3);
    vi.setSystemTime(Date.now() + 3_600_000);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(poll.answer).toBe(3);
  });

  it("asks at once when the network is back", async () => {
    fails("restarting", 60_000);
    await begin();
    asked.mockResolvedValue(4);
    window.dispatchEvent(new Event("online"));
    await vi.advanceTimersByTimeAsync(0);
    expect(poll.answer).toBe(4);
  });

  it("asks once while the page loads", async () => {
    await begin();
    window.dispatchEvent(new Event("pageshow"));
    expect(asked).toHaveBeenCalledTimes(1);
  });

  it("tells the page how it fares, until it leaves", async () => {
    fails("restarting");
    await begin();
    expect(connection.fault?.outage).toBe("restarting");
    poll.hostDisconnected();
    expect(connection.fault).toBeNull();
  });
});
