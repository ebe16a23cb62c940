import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { FakeVideo } from "../test/fake-video.ts";
import { accepted, lost, refused, unreachable, World } from "../test/world.ts";

let world: World;
beforeEach(async () => {
  world = await World.open();
  vi.spyOn(console, "warn").mockReturnValue();
});
afterEach(() => {
  world.end();
});

const kept = (): string[] => Object.keys(localStorage).filter((name) => name.startsWith("grandstand:"));

describe("a page that is closed", () => {
  it("hands over what is left, as what was left", async () => {
    world.watch();
    world.video.play();
    await world.pass(3000);
    world.close();
    expect(world.beacons).toHaveLength(1);
    expect(world.types).toEqual(["join", "play", "stop"]);
    expect(world.watched).toBe(3000);
    expect(kept()).toEqual([]);
    await world.pass(30_000);
    expect(world.types).toEqual(["join", "play", "stop"]);
  });

  it("sends what there is when it is hidden, since it may not come back", async () => {
    world.watch();
    world.video.play();
    await world.pass(3000);
    world.hide();
    await world.rest();
    expect(world.watched).toBe(3000);
    expect(world.of("stop")).toEqual([]);
  });

  it("keeps what the browser does not take, for the next page", async () => {
    world.takesBeacons = false;
    world.watch();
    world.video.play();
    await world.pass(3000);
    world.close();
    expect(kept()).toHaveLength(1);
    await world.load();
    world.watch();
    await world.rest();
    expect(world.types).toEqual(["join", "play", "stop"]);
    expect(world.texts.at(-1)).toBe(world.beacons[0]);
    expect(kept()).toEqual([]);
  });

  it("keeps what is on its way, whose answer it will not hear", async () => {
    world.answer = () => new Promise(() => undefined);
    world.watch();
    world.video.play();
    await world.pass(3000);
    world.close();
    expect(kept()).toHaveLength(1);
    world.answer = accepted();
    await world.load();
    world.watch();
    await world.rest();
    expect(world.types.sort()).toEqual(["join", "play", "stop"]);
  });

  it("keeps what could not be sent before, under its own name", async () => {
    world.answer = unreachable;
    world.watch();
    world.video.play();
    await world.pass(3000);
    world.takesBeacons = false;
    world.close();
    const names = new Set(world.texts);
    world.answer = accepted();
    await world.load();
    world.watch();
    await world.rest();
    expect(world.types).toEqual(["join", "play", "stop"]);
    expect(world.watched).toBe(3000);
    expect(names).toEqual(new Set(world.texts));
  });

  it("is told of in the order in which things happened", async () => {
    world.answer = unreachable;
    world.takesBeacons = false;
    world.watch();
    world.video.play();
    for (let press = 0; press < 150; press++) {
      world.video.pause();
      world.video.play();
      await world.pass(1000);
    }
    world.close();
    expect(kept().length).toBeGreaterThan(2);
    world.answer = accepted();
    await world.load();
    world.watch();
    await world.rest();
    const times = world.events.map((event) => event.event_timestamp);
    expect(times).toEqual([...times].sort((one, other) => one - other));
    expect(world.types.at(-1)).toBe("stop");
  });

  it("keeps what the suite asked to wait with, and does not hand it over", async () => {
    world.answer = refused(503, { "retry-after": "30" });
    world.watch();
    world.video.play();
    await world.pass(3000);
    world.close();
    expect(world.beacons).toEqual([]);
    expect(kept()).toHaveLength(2);
  });

  it("leaves nothing for later that the suite might count twice", async () => {
    world.takesBeacons = false;
    world.watch();
    world.video.play();
    await world.pass(3000);
    world.close();
    vi.setSystemTime(Date.now() + 24 * 3_600_000);
    await world.load();
    world.watch();
    await world.rest();
    expect(kept()).toEqual([]);
    expect(world.of("stop")).toEqual([]);
  });

  it("resumes its session when it comes back as it was, without another start-up", async () => {
    world.watch();
    world.video.play();
    await world.pass(3000);
    world.close({ persisted: true });
    world.video.pause();
    await world.pass(60_000);
    world.comeBack();
    world.video.play();
    await world.pass(2000);
    world.close();
    expect(world.types).toEqual(["join", "play", "stop", "join", "play", "stop"]);
    expect(world.of("play").filter((event) => event.startup_ms !== undefined)).toHaveLength(1);
    expect(new Set(world.events.map((event) => event.session_id)).size).toBe(1);
    expect(world.watched).toBe(5000);
  });
});

describe("two tabs", () => {
  it("do not both send what a third has left", async () => {
    world.takesBeacons = false;
    world.watch();
    world.video.play();
    await world.pass(3000);
    world.close();
    const [, left] = world.texts;
    await world.load();
    world.watch();
    await world.load();
    world.watch();
    await world.rest();
    expect(world.texts.filter((text) => text === left)).toHaveLength(2); // once as a beacon, once by one of them
  });
});

it("counts each event once, whatever the network does", async () => {
  const answers = [
    accepted(),
    accepted(5),
    unreachable,
    lost,
    refused(503, { "retry-after": "3" }),
    refused(502),
  ];
  const step = fc.record({
    answer: fc.constantFrom(...answers),
    act: fc.constantFrom("wait", "pause", "hide", "zap", "consent", "reload"),
    ms: fc.integer({ min: 0, max: 15_000 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 15 }), async (steps) => {
      world.end();
      world = await World.open();
      vi.spyOn(console, "warn").mockReturnValue();
      let handle = world.watch();
      let moved = 0;
      let zapped = 0;
      for (const { answer, act, ms } of steps) {
        world.answer = answer;
        world.takesBeacons = answer === answers[0];
        if (world.video.paused) world.video.play();
        await world.pass(ms);
        if (act === "pause") world.video.pause();
        else if (act === "hide") world.hide();
        else if (act === "zap") handle.content(`zapped-${zapped++}`);
        else if (act === "consent") handle.consent("personalisation");
        else if (act === "reload") {
          world.close();
          world.video.pause();
          moved += world.video.moved;
          await world.load();
          handle = world.watch();
        }
      }
      world.answer = accepted();
      world.takesBeacons = true;
      world.video.pause();
      handle.stop();
      await world.pass(150_000);
      expect(Math.abs(world.watched - moved - world.video.moved)).toBeLessThan(1 + world.of("join").length);
      expect(world.of("stop")).toHaveLength(world.of("join").length);
      expect(new Set(world.events.map((event) => event.event_id)).size).toBe(world.events.length);
    }),
    { numRuns: 40 },
  );
});

it("watches several videos side by side", async () => {
  const [one, two] = [new FakeVideo(), new FakeVideo()];
  world.watch({ content: "one" }, one);
  world.watch({ content: "two" }, two);
  one.play();
  two.play();
  await world.pass(5000, one, two);
  two.pause();
  await world.pass(5000, one, two);
  world.close();
  expect([world.watchedOf("one"), world.watchedOf("two")]).toEqual([10_000, 5000]);
});
