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
const empty = (): Promise<Audience & { from: string; to: string }> =>
  Promise.resolve({
    content_id: "final",
    resolution: "5s",
    windows: [],
    from: new Date(Date.now() - 3 * MINUTE).toISOString(),
    to: new Date(Date.now() + 5_000).toISOString(),
  });
const RECENT = "/v1/contents/final/audience/recent?resolution=5s&by=none";

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
    const woken = NOW + 10 * MINUTE;
    vi.setSystemTime(woken);
    history.take(live(woken));
    history.want(wanted(woken));
    await vi.advanceTimersByTimeAsync(0);
    expect(asked.slice(1).map((path) => new URLSearchParams(path.split("?")[1]).get("from"))).toEqual([
      "2026-11-20T18:00:00.000Z",
    ]);
  });

  it("gets what it missed for a moment from where a cache answers", async () => {
    vi.useFakeTimers({ now: NOW });
    const { asked, history } = setUp(empty);
    history.want(wanted(NOW));
    await vi.advanceTimersByTimeAsync(0);
    vi.setSystemTime(NOW + 20_000);
    history.take(live(NOW + 20_000));
    history.want(wanted(NOW + 20_000));
    await vi.advanceTimersByTimeAsync(0);
    expect(asked.slice(1)).toEqual([RECENT]);
  });

  it.each(["5s", "1m"] as const)(
    "asks at one address for all that %s windows tell anew in an hour",
    async (resolution) => {
      vi.useFakeTimers({ now: NOW });
      const { asked, history } = setUp(empty);
      for (let second = 0; second < 3_600; second++) {
        history.want(wanted(NOW + second * 1_000, { resolution, by: "country" }));
        await vi.advanceTimersByTimeAsync(1_000);
      }
      const [first, ...rest] = asked;
      expect(first).toContain("/audience?from=");
      expect(new Set(rest)).toEqual(
        new Set([`/v1/contents/final/audience/recent?resolution=${resolution}&by=country`]),
      );
      expect(rest.length).toBeLessThanOrEqual(720);
    },
  );

  it("is not put back by a cache's older answer", async () => {
    vi.useFakeTimers({ now: NOW });
    const stale = { ...window(NOW - 5_000), viewers: 1 };
    const { history } = setUp(async (path) => ({
      ...(await empty()),
      windows: path.includes("recent") ? [stale] : [],
    }));
    history.want(wanted(NOW));
    await vi.advanceTimersByTimeAsync(6_000);
    history.take({ ...live(NOW), windows: [{ ...window(NOW - 5_000), viewers: 9 }] });
    history.want(wanted(NOW + 6_000));
    await vi.advanceTimersByTimeAsync(0);
    expect(history.windows({ from: NOW - 5_000, to: NOW }).map(({ viewers }) => viewers)).toEqual([9]);
  });

  it("tells the last minutes where a key opens no more", async () => {
    vi.useFakeTimers({ now: NOW });
    const { asked, history } = setUp((path) =>
      path.includes("recent") ? empty() : Promise.reject(new Failed("forbidden", "No.", 403)),
    );
    for (let second = 0; second < 30; second++) {
      history.want(wanted(NOW + second * 1_000));
      await vi.advanceTimersByTimeAsync(1_000);
    }
    expect(history.closed).toBe(true);
    expect(asked.filter((path) => !path.includes("recent"))).toHaveLength(1);
    expect(asked.filter((path) => path === RECENT).length).toBeGreaterThan(1);
  });

  it("is read again for late events", async () => {
    vi.useFakeTimers({ now: NOW });
    const { asked, history } = setUp(empty);
    history.want(wanted(NOW));
    await vi.advanceTimersByTimeAsync(40_000);
    history.want(wanted(NOW + 40_000));
    await vi.advanceTimersByTimeAsync(0);
    expect(asked.at(-1)).toBe(RECENT);
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
    expect(asked).toEqual([expect.stringContaining("/audience?from="), RECENT]);
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
