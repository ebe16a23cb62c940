import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { FakeVideo } from "../test/fake-video.ts";
import { accepted, refused, unreachable, World } from "../test/world.ts";

let world: World;
beforeEach(async () => {
  world = await World.open();
  vi.spyOn(console, "warn").mockReturnValue();
});
afterEach(() => {
  world.end();
  vi.restoreAllMocks();
});

const warned = (): string => vi.mocked(console.warn).mock.calls.flat().map(String).join("\n");

const play = async (ms: number): Promise<void> => {
  world.video.play();
  await world.pass(ms);
};

describe("an answer that is not as it should be", () => {
  it.each([0, -5, 1e9, 0.001, "0", "10", Infinity, {}, null])(
    "asks for an interval of %s, and the usual one stays",
    async (report_every_seconds) => {
      world.answer = refused(202, {}, { accepted: 1, rejected: [], report_every_seconds });
      world.watch();
      await play(60_500);
      expect(world.of("heartbeat").length).toBe(6);
      for (const event of world.events) expect(event.report_every_seconds).toBeUndefined();
    },
  );

  it.each([null, 5, "ok", [], { rejected: {} }, { rejected: [null] }])(
    "is %j, and what it accepted is not sent again",
    async (told) => {
      world.answer = refused(202, {}, told as object);
      world.watch();
      await play(30_500);
      expect(new Set(world.texts).size).toBe(world.texts.length);
      expect(world.texts).toHaveLength(4);
    },
  );

  it.each(["1e12", "Infinity", "99999999999", new Date(8e15).toUTCString()])(
    "asks to wait until %s, and is not asked without a pause",
    async (wait) => {
      world.answer = refused(429, { "retry-after": wait });
      world.watch();
      await play(10_000);
      expect(world.texts).toHaveLength(1);
    },
  );

  it("names each reason once, however many events it is about", async () => {
    const rejected = [0, 1, 2].map((index) => ({ index, reason: "country: no" }));
    world.answer = refused(202, {}, { accepted: 0, rejected });
    world.watch();
    await play(1000);
    expect(console.warn).toHaveBeenCalledTimes(1);
  });
});

describe("a clock that is off", () => {
  const AHEAD = { index: 0, reason: "event_timestamp is more than 300 s after its arrival" };

  /** A suite whose clock is `behind` this one, and which takes nothing that is more than five minutes ahead of it. */
  const suite = (behind: number) => () => {
    const date = Date.now() - behind;
    const { events, clock_offset_ms = 0 } = JSON.parse(world.texts.at(-1) ?? "") as {
      events: { event_timestamp: number }[];
      clock_offset_ms?: number;
    };
    const rejected = events.flatMap((event, index) =>
      event.event_timestamp - clock_offset_ms > date + 300_000 ? [{ ...AHEAD, index }] : [],
    );
    return refused(202, { date: new Date(date).toUTCString() }, { accepted: 1, rejected })();
  };

  it("is told with each body once it is known, and what was rejected is sent again, once", async () => {
    world.answer = suite(600_000);
    const handle = world.watch();
    await play(30_000);
    handle.stop();
    await world.rest();
    const [first, ...later] = world.texts.map(
      (text) => JSON.parse(text) as { clock_offset_ms?: number; events: { event_type: string }[] },
    );
    expect(first?.clock_offset_ms).toBeUndefined();
    expect(first?.events.map((event) => event.event_type)).toEqual(["join", "play"]);
    for (const body of later) expect(Math.abs((body.clock_offset_ms ?? 0) - 600_000)).toBeLessThan(2000);
    const types = later.flatMap((body) => body.events.map((event) => event.event_type));
    expect(types.filter((type) => type !== "heartbeat")).toEqual(["join", "play", "stop"]);
    expect(warned()).toBe("");
  });

  it("takes nothing back of a body that may have been counted before", async () => {
    world.answer = unreachable;
    world.watch();
    await play(1000);
    world.answer = suite(600_000);
    await world.pass(30_000);
    expect(
      world.texts.filter((text) => text.includes('"join"')).every((text) => text === world.texts[0]),
    ).toBe(true);
    expect(warned()).toContain("after its arrival");
  });

  it("takes nothing back to what the viewer has agreed to since", async () => {
    let answer: (response: Response) => void = () => undefined;
    world.answer = () => new Promise((resolve) => (answer = resolve));
    const handle = world.watch({ consent: "none" });
    await play(1000);
    handle.consent("personalisation");
    answer(await suite(600_000)());
    world.answer = accepted();
    await world.pass(15_000);
    expect(world.texts.filter((text) => text.includes('"join"'))).toHaveLength(1);
  });

  it.each([0, 20_000, -20_000])("by %s ms is not", async (behind) => {
    world.answer = suite(behind);
    world.watch();
    await play(30_000);
    expect(world.texts.join()).not.toContain("clock_offset_ms");
  });

  it("that was mended by a sleep is not mended twice", async () => {
    const behind = 8 * 3_600_000;
    world.watch();
    await play(2000);
    vi.setSystemTime(Date.now() + behind); // the machine slept, and performance.now() with it
    world.answer = suite(0);
    await world.pass(20_000);
    world.hide();
    document.dispatchEvent(new Event("visibilitychange"));
    await world.pass(20_000);
    world.close();
    const last = world.bodies.at(-1) as { clock_offset_ms?: number } | undefined;
    const at = (world.of("stop")[0]?.event_timestamp ?? 0) - (last?.clock_offset_ms ?? 0);
    expect(Math.abs(at - Date.now())).toBeLessThan(2000);
  });
});

describe("what lies in the storage", () => {
  it("may be anybody's, and does not keep back what is ours", async () => {
    for (const [name, value] of [
      ["a", "{"],
      ["b", "null"],
      ["c", "5"],
      ["d", "[1,2,3]"],
      ["e", '["x"]'],
    ] as const)
      localStorage.setItem(`grandstand:${name}`, value);
    localStorage.setItem("theirs", "{");
    const text = JSON.stringify({ batch_id: "z", events: [{ event_type: "stop" }] });
    localStorage.setItem("grandstand:z", JSON.stringify(["https://suite.test/v1/events", text, Date.now()]));
    world.watch();
    await world.pass(1000);
    expect(world.types).toContain("stop");
    expect(localStorage.length).toBe(1);
  });

  it("is left when the last report has to queue behind one that is under way", async () => {
    world.answer = () => new Promise(() => undefined);
    const handle = world.watch();
    await play(1500);
    handle.stop();
    await world.load();
    world.answer = accepted();
    world.watch();
    await world.pass(1000);
    expect(world.types).toEqual(["stop"]);
  });
});

describe("what a platform gives", () => {
  it("may be a number, or empty as templates leave it", async () => {
    world.watch({ content: 42, viewer: 7, session: "" });
    await play(1000);
    expect(world.events[0]).toMatchObject({ content_id: "42", viewer_id: "7" });
    expect(world.events[0]?.session_id).toMatch(/^\w{16,}$/);
  });

  it("may say in words that a child watches", async () => {
    world.watch({ child: "true" as unknown as boolean });
    await play(1000);
    expect(world.bodies[0]?.child).toBe(true);
    expect(world.texts.join()).not.toContain("ada");
  });

  it("may be no viewer", async () => {
    world.watch({ viewer: "" });
    await play(1000);
    expect(world.events[0]).not.toHaveProperty("viewer_id");
  });

  it("is refused where the address is none", () => {
    world.watch({ endpoint: "grandstand.example" });
    expect(warned()).toContain("endpoint");
  });

  it("may be a player that is destroyed before the beacon stops", async () => {
    const gone = (): never => {
      throw new Error("destroyed");
    };
    const player = { getVariantTracks: gone, addEventListener: () => undefined, removeEventListener: gone };
    const handle = world.watch({ player });
    await play(1000);
    handle.stop();
    await world.rest();
    expect(world.types).toEqual(["join", "play", "stop"]);
    expect(warned()).toBe("");
  });

  it("may be a player that cannot be listened to", async () => {
    const player = {
      get levels() {
        throw new Error("destroyed");
      },
    };
    const handle = world.watch({ player });
    await play(1000);
    handle.stop();
    await world.rest();
    expect(world.types).toEqual(["join", "play", "stop"]);
  });
});

describe("a machine that slept for eight hours", () => {
  const HOURS = 8 * 3_600_000;

  /** Nothing happens, and performance.now() goes on, as it does on some systems. */
  const sleep = (): void => {
    world.video.freeze();
    const awake = performance.now.bind(performance);
    vi.spyOn(performance, "now").mockImplementation(() => awake() + HOURS);
  };

  it.each([
    [
      "seeks to the live edge",
      (video: FakeVideo) => {
        video.seek(30_000);
      },
    ],
    [
      "loads its source again",
      (video: FakeVideo) => {
        video.load();
      },
    ],
  ])("has not watched, whatever the player does first: it %s", async (_, wake) => {
    const handle = world.watch();
    await play(5000);
    sleep();
    wake(world.video);
    await world.pass(5000);
    handle.stop();
    await world.rest();
    expect(world.watched).toBeLessThanOrEqual(65_000);
  });

  it("has not been stalled either", async () => {
    const handle = world.watch();
    await play(5000);
    world.video.starve();
    await world.pass(12_000);
    sleep();
    world.video.show();
    await world.pass(1000);
    handle.stop();
    await world.rest();
    const [stall] = world.of("stall");
    expect(stall?.stall_ms).toBeGreaterThan(4_000); // what was seen of it before
    expect(stall?.stall_ms).toBeLessThanOrEqual(12_000);
  });
});

describe("a video that cannot be played", () => {
  it("has no audience before anybody wants to see it", async () => {
    world.watch();
    world.video.fail(4);
    await world.pass(20_000);
    expect(world.texts).toEqual([]);
    world.video.press();
    await world.pass(1000);
    expect(world.types).toEqual(["join", "error"]);
  });
});
