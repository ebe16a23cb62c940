import type { ReactiveControllerHost } from "lit";
import { describe, expect, it, vi } from "vitest";

import { Failed } from "../../api/client.ts";
import type { Audience, AudienceWindow, Now } from "../../api/types.ts";
import { History, type Wanted } from "./history.ts";

const NOW = Date.parse("2026-11-20T18:00:00Z");
const MINUTE = 60_000;

function setUp(answer: (path: string) => Promise<Audience>) {
  const asked: string[] = [];
  const world = {
    fetch: (path: string) => {
      asked.push(path);
      return answer(path);
    },
    now: () => Date.now(),
    random: () => 0.5,
  };
  const host = { addController: vi.fn(), requestUpdate: vi.fn() };
  const history = new History(host as unknown as ReactiveControllerHost, world);
  return { asked, history };
}

const window = (at: number): AudienceWindow => ({ start: new Date(at).toISOString() }) as AudienceWindow;
const empty = (): Promise<Audience> =>
  Promise.resolve({ content_id: "final", resolution: "5s", windows: [] });

function wanted(now: number, over: Partial<Wanted> = {}): Wanted {
  const shown = { from: now - 15 * MINUTE, to: now };
  return { contentId: "final", resolution: "5s", by: null, shown, live: shown, now, ...over };
}

const live = (now: number): Now =>
  ({ as_of: new Date(now).toISOString(), windows: [window(now - 5_000), window(now)] }) as Now;

describe("a content's history", () => {
  it("is asked for once, without splits, and not again while the live address goes on", async () => {
    vi.useFakeTimers({ now: NOW });
    const { asked, history } = setUp(empty);
    for (let second = 0; second < 10; second++) {
      history.take(live(NOW + second * 1_000));
      history.want(wanted(NOW + second * 1_000));
      await vi.advanceTimersByTimeAsync(1_000);
    }
    expect(asked).toEqual([
      "/v1/contents/final/audience?from=2026-11-20T17%3A45%3A00.000Z&to=2026-11-20T18%3A00%3A00.000Z&resolution=5s&by=none",
    ]);
  });

  it("is asked for what was slept through, and for nothing else", async () => {
    vi.useFakeTimers({ now: NOW });
    const { asked, history } = setUp(empty);
    history.want(wanted(NOW));
    await vi.advanceTimersByTimeAsync(0);
    vi.setSystemTime(NOW + 10_000);
    history.take(live(NOW + 10_000));
    history.want(wanted(NOW + 10_000));
    await vi.advanceTimersByTimeAsync(0);
    expect(asked.slice(1).map((path) => new URLSearchParams(path.split("?")[1]).get("from"))).toEqual([
      "2026-11-20T18:00:00.000Z",
    ]);
  });

  it("is read again for late events, two minutes back", async () => {
    vi.useFakeTimers({ now: NOW });
    const { asked, history } = setUp(empty);
    history.want(wanted(NOW));
    await vi.advanceTimersByTimeAsync(40_000);
    history.want(wanted(NOW + 40_000));
    await vi.advanceTimersByTimeAsync(0);
    expect(new URLSearchParams(asked.at(-1)?.split("?")[1]).get("from")).toBe("2026-11-20T17:58:40.000Z");
  });

  it("asks again after a restart, until it is answered", async () => {
    vi.useFakeTimers({ now: NOW });
    let up = false;
    const { asked, history } = setUp(() =>
      up ? empty() : Promise.reject(new Failed("restarting", "It restarts.", 503)),
    );
    history.want(wanted(NOW));
    await vi.advanceTimersByTimeAsync(5_000);
    expect(asked.length).toBeGreaterThan(1);
    up = true;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(history.failed).toBeNull();
    const sofar = asked.length;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).toHaveLength(sofar);
  });

  it("is not asked for again where a key does not open it", async () => {
    vi.useFakeTimers({ now: NOW });
    const { asked, history } = setUp(() => Promise.reject(new Failed("forbidden", "No.", 403)));
    for (let second = 0; second < 60; second++) {
      history.want(wanted(NOW + second * 1_000));
      await vi.advanceTimersByTimeAsync(1_000);
    }
    expect(asked).toHaveLength(1);
    expect(history.failed?.trouble).toBe("forbidden");
  });

  it("collects what is live behind a view that stands still", async () => {
    vi.useFakeTimers({ now: NOW });
    const { history } = setUp(empty);
    const shown = { from: NOW - 15 * MINUTE, to: NOW };
    for (let at = NOW; at <= NOW + 60 * MINUTE; at += 5_000) {
      history.take(live(at));
      history.want(wanted(at, { shown }));
    }
    await vi.advanceTimersByTimeAsync(0);
    expect(history.windows({ from: NOW + 45 * MINUTE, to: NOW + 60 * MINUTE })).toHaveLength(180);
    expect(history.windows({ from: NOW + 5 * MINUTE, to: NOW + 40 * MINUTE })).toHaveLength(0);
  });
});
