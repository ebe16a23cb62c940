import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { FakeVideo } from "../test/fake-video.ts";
import { World } from "../test/world.ts";

let world: World;
beforeEach(async () => {
  world = await World.open();
});
afterEach(() => {
  world.end();
});

describe("watched time", () => {
  it("counts the clock on the wall, whatever the rate, and nothing at a rate of 0", async () => {
    const handle = await world.begin();
    world.video.speed(2);
    await world.pass(4000);
    world.video.speed(0);
    await world.pass(3000);
    world.video.speed(1);
    await world.pass(1000);
    await world.finish(handle);
    expect(world.watched).toBe(5000);
  });

  it("does not count what the video stood still, even if the browser did not say so", async () => {
    const handle = await world.begin();
    await world.pass(4000);
    world.video.freeze();
    await world.pass(20_000);
    world.video.show();
    await world.pass(1000);
    await world.finish(handle);
    expect(world.watched).toBe(5000);
  });

  it("does not count a sleep of the machine", async () => {
    const handle = await world.begin();
    await world.pass(2000);
    const at = world.video.currentTime;
    vi.spyOn(world.video, "currentTime", "get").mockReturnValue(at);
    vi.setSystemTime(Date.now() + 3_600_000);
    await vi.advanceTimersByTimeAsync(0);
    const slept = performance.now() + 3_600_000;
    const clock = vi.spyOn(performance, "now").mockReturnValue(slept);
    world.video.pause();
    await world.finish(handle);
    clock.mockRestore();
    expect(world.watched).toBeLessThanOrEqual(2000);
  });

  const actions = [
    "play",
    "pause",
    "starve",
    "show",
    "seek",
    "settle",
    "speed",
    "hide",
    "zap",
    "end",
  ] as const;
  type Action = (typeof actions)[number];
  const can = (action: Action, video: FakeVideo): boolean =>
    ({
      play: video.paused && !video.seeking,
      pause: !video.paused,
      starve: !video.paused && !video.seeking && video.readyState > 2,
      show: !video.paused && !video.seeking && video.readyState < 3,
      seek: true,
      settle: video.seeking,
      speed: true,
      hide: true,
      zap: true,
      end: !video.paused && !video.seeking && video.readyState > 2,
    })[action];

  it("adds up to what was played, whatever viewers and networks do", async () => {
    const step = fc.record({ action: fc.constantFrom(...actions), ms: fc.integer({ min: 0, max: 12_000 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        world.end();
        world = await World.open();
        const { video } = world;
        const handle = world.watch();
        for (const { action, ms } of steps) {
          if (can(action, video)) {
            if (action === "seek") video.seek(ms);
            else if (action === "speed") video.speed([0, 0.5, 1, 2][ms % 4] ?? 1);
            else if (action === "hide") world.hide();
            else if (action === "zap") handle.content(`zapped-${ms}`);
            else video[action]();
          }
          await world.pass(ms);
        }
        video.pause();
        await world.finish(handle);
        expect(Math.abs(world.watched - video.moved)).toBeLessThan(1 + world.of("join").length);
        const ends = world.of("stop").length + world.of("complete").length;
        expect(ends).toBe(world.of("join").length);
        expect(new Set(world.events.map((event) => event.event_id)).size).toBe(world.events.length);
      }),
      { numRuns: 40 },
    );
  });
});
