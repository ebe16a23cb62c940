import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { FakeVideo } from "../test/fake-video.ts";
import { accepted, refused, unreachable, wish, World } from "../test/world.ts";

let world: World;
beforeEach(async () => {
  world = await World.open();
  vi.spyOn(console, "warn").mockReturnValue();
});
afterEach(() => {
  world.end();
  wish("doNotTrack", null);
  wish("globalPrivacyControl", undefined);
});

const said = (): string => world.texts.join();

describe("who does not want to be tracked", () => {
  it.each([
    ["doNotTrack", "1"],
    ["globalPrivacyControl", true],
  ] as const)("is not named, by %s, whatever the platform says", async (name, value) => {
    wish(name, value);
    const handle = world.watch({ consent: "personalisation", session: "platform's", viewer: "ada" });
    handle.consent("personalisation");
    world.video.play();
    await world.pass(12_000);
    world.close();
    expect(new Set(world.bodies.map((body) => body.consent))).toEqual(new Set(["none"]));
    expect(said()).not.toMatch(/"ada"|platform's|personalisation/);
    expect(world.types).toEqual(["join", "play", "stop"]);
  });

  it("is not told of at all where the platform chose silence", async () => {
    wish("doNotTrack", "1");
    const handle = world.watch({ respectDoNotTrack: "silent" });
    handle.content("other");
    world.video.play();
    await world.pass(20_000);
    world.close();
    expect(world.texts).toEqual([]);
  });

  it("leaves nothing on the device", async () => {
    world.answer = unreachable;
    world.takesBeacons = false;
    world.watch({ consent: "none" });
    world.video.play();
    await world.pass(20_000);
    world.close();
    expect(Object.keys(localStorage)).toEqual([]);
    expect(document.cookie).toBe("");
  });
});

describe("consent", () => {
  it("is told with each body, and a child's sessions lead to nobody", async () => {
    world.watch({ consent: "analytics", child: true, session: "platform's" });
    world.video.play();
    await world.pass(1000);
    expect(world.bodies[0]).toMatchObject({ consent: "analytics", child: true });
    expect(said()).not.toMatch(/"ada"|platform's/);
  });

  it("that is withdrawn holds for all that was not sent yet", async () => {
    const handle = world.watch({ consent: "analytics" });
    world.video.play();
    await world.pass(5000);
    expect(said()).toContain('"ada"');
    const [identified] = world.events;
    world.texts = [];
    handle.consent("none");
    await world.pass(20_000);
    expect(said()).not.toContain('"ada"');
    expect(said()).not.toContain(identified?.session_id);
    expect(world.watched).toBeGreaterThanOrEqual(20_000);
  });

  it("that is withdrawn forgets what waits on the device", async () => {
    world.answer = unreachable;
    const handle = world.watch({ consent: "analytics" });
    world.video.play();
    await world.pass(5000);
    expect(Object.keys(localStorage)).toHaveLength(1);
    handle.consent("none");
    expect(Object.keys(localStorage)).toEqual([]);
    world.texts = [];
    await world.pass(60_000);
    expect(said()).not.toContain('"ada"');
  });

  it("that is given does not hold for what was before", async () => {
    const handle = world.watch({ consent: "none" });
    world.video.play();
    await world.pass(5000);
    handle.consent("personalisation");
    await world.pass(10_000);
    for (const body of world.bodies)
      for (const event of body.events)
        expect(event.viewer_id).toBe(body.consent === "personalisation" ? "ada" : undefined);
    expect(new Set(world.bodies.map((body) => body.consent))).toEqual(new Set(["none", "personalisation"]));
  });

  it("that is none of the three is refused with a word on the console", () => {
    const handle = world.watch();
    handle.consent("all" as "none");
    expect(console.warn).toHaveBeenCalledWith("Grandstand:", expect.stringContaining("personalisation"));
  });
});

describe("the host page", () => {
  it.each([
    [{ content: "" }, "content"],
    [{ endpoint: undefined as unknown as string }, "endpoint"],
    [{ consent: "maybe" as "none" }, "consent"],
    [{ respectDoNotTrack: "Silent" as "silent" }, "respectDoNotTrack"],
  ])("hears what to mend when the options are wrong, and nothing breaks", async (options, word) => {
    const handle = world.watch(options);
    world.video.play();
    await world.pass(20_000);
    handle.consent("none");
    handle.content("x");
    handle.stop();
    expect(world.texts).toEqual([]);
    expect(console.warn).toHaveBeenCalledWith("Grandstand:", expect.stringContaining(word));
  });

  it("is not broken by a video that does not behave", async () => {
    world.watch();
    world.video.play();
    await world.pass(5000);
    Object.defineProperty(world.video, "buffered", {
      get() {
        throw new Error("detached");
      },
    });
    await world.pass(20_000);
    world.video.pause();
    await world.pass(10_000);
    expect(world.types).toEqual(["join", "play", "pause"]);
    expect(world.watched).toBe(25_000);
  });

  it("keeps no listener and no timer after stop", async () => {
    const added: string[] = [];
    for (const target of [world.video, window, document] as EventTarget[]) {
      const { addEventListener, removeEventListener } = target;
      vi.spyOn(target, "addEventListener").mockImplementation((type, ...rest) => {
        added.push(type);
        addEventListener.call(target, type, ...rest);
      });
      vi.spyOn(target, "removeEventListener").mockImplementation((type, ...rest) => {
        added.splice(added.indexOf(type), 1);
        removeEventListener.call(target, type, ...rest);
      });
    }
    const handle = world.watch();
    world.video.play();
    await world.pass(12_000);
    expect(added.length).toBeGreaterThan(10);
    handle.stop();
    await world.rest();
    expect(added).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
    handle.stop();
    world.video.pause();
    world.close();
    await world.pass(20_000);
    expect(world.types).toEqual(["join", "play", "stop"]);
  });

  it("counts a video once that is watched twice", async () => {
    world.watch();
    world.video.play();
    await world.pass(1000);
    world.watch();
    await world.pass(1000);
    world.close();
    expect(world.of("join")).toHaveLength(2);
    expect(world.of("stop")).toHaveLength(2);
    expect(world.watched).toBeGreaterThanOrEqual(1750);
    expect(world.watched).toBeLessThanOrEqual(2000);
  });
});

describe("times", () => {
  it("do not follow a clock that is set while the page is seen", async () => {
    world.watch();
    world.video.play();
    await world.pass(2000);
    const began = world.of("join")[0]?.event_timestamp ?? 0;
    vi.setSystemTime(Date.now() - 3_600_000);
    await world.pass(10_000);
    expect(world.of("heartbeat")[0]?.event_timestamp).toBe(began + 10_000);
  });
});

describe("after a stop without a network", () => {
  it("still delivers, when the network is back", async () => {
    world.answer = unreachable;
    const handle = world.watch();
    world.video.play();
    await world.pass(3000);
    handle.stop();
    world.answer = accepted();
    await world.pass(60_000);
    expect(world.types).toEqual(["join", "play", "stop"]);
    expect(Object.keys(localStorage)).toEqual([]);
  });

  it("leaves to the next page what the suite did not take in time", async () => {
    world.answer = refused(503, { "retry-after": "600" });
    const handle = world.watch();
    world.video.play();
    await world.pass(3000);
    handle.stop();
    world.answer = accepted();
    await world.load();
    world.watch({}, new FakeVideo());
    await world.rest();
    expect(world.types).toEqual(["join", "play", "stop"]);
  });
});

describe("what only behaves like a video", () => {
  it("is told of without what it does not know", async () => {
    Object.assign(world.video, { buffered: undefined, played: undefined });
    world.video.play();
    world.watch();
    await world.pass(12_000);
    expect(world.types).toEqual(["join", "play"]);
    expect(world.of("heartbeat")[0]).not.toHaveProperty("buffer_ms");
  });
});

describe("a content that is told again", () => {
  it("is the same view", async () => {
    const handle = world.watch();
    world.video.play();
    await world.pass(2000);
    handle.content("final");
    await world.pass(10_000);
    expect(world.types).toEqual(["join", "play"]);
  });
});
