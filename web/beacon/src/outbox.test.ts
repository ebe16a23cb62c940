import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { accepted, refused, unreachable, World } from "../test/world.ts";

let world: World;
beforeEach(async () => {
  world = await World.open();
  vi.spyOn(console, "warn").mockReturnValue();
});
afterEach(() => {
  world.end();
});

const warned = (): string => vi.mocked(console.warn).mock.calls.flat().map(String).join("\n");

describe("a body", () => {
  it("is text with the write key in the address, so that no preflight is needed", async () => {
    world.watch({ endpoint: "https://suite.test/", key: "a key" });
    world.video.play();
    await world.pass(1000);
    expect(world.urls[0]).toBe("https://suite.test/v1/events?key=a%20key");
    expect(world.requests[0]).toMatchObject({
      method: "POST",
      headers: { "content-type": "text/plain;charset=UTF-8" },
      credentials: "omit",
      keepalive: true,
    });
  });

  it("names itself and each of its events", async () => {
    world.watch({ attributes: { device_type: "tv", country: "DE" }, contentType: "live" });
    world.video.play();
    await world.pass(25_000);
    expect(world.bodies.every((body) => body.batch_id.length > 20)).toBe(true);
    expect(new Set(world.events.map((event) => event.event_id)).size).toBe(world.events.length);
    expect(world.events[0]).toMatchObject({
      viewer_id: "ada",
      content_id: "final",
      content_type: "live",
      device_type: "tv",
      country: "DE",
    });
  });

  it("lets no attribute take the place of what is told", async () => {
    const attributes = {
      viewer_id: "eve",
      session_id: "s",
      consent: "personalisation",
      event_type: "rating",
    };
    world.watch({ attributes, consent: "none", viewer: undefined });
    world.video.play();
    await world.pass(1000);
    expect(world.texts.join()).not.toMatch(/"eve"|"s"|personalisation|rating/);
  });

  it("stays under 64 KB, however much there is to tell", async () => {
    world.answer = unreachable;
    const handle = world.watch({ attributes: { tier: "ü".repeat(200) } });
    world.video.play();
    for (let press = 0; press < 120; press++) {
      world.video.pause();
      world.video.play();
      await world.pass(100);
    }
    world.answer = accepted();
    handle.stop();
    await world.pass(120_000);
    expect(world.of("pause")).toHaveLength(120);
    expect(Math.max(...world.texts.map((text) => new TextEncoder().encode(text).length))).toBeLessThan(
      64_000,
    );
  });
});

describe("the interval", () => {
  it("is the suite's, from the first answer on, and is echoed", async () => {
    world.answer = accepted(4);
    world.watch();
    world.video.play();
    await world.pass(21_000);
    const beats = world.of("heartbeat").map((event) => event.event_timestamp);
    expect(beats.map((at, index) => at - (beats[index - 1] ?? at - 4000))).toEqual(beats.map(() => 4000));
    expect(beats).toHaveLength(5);
    expect(world.events[0]).not.toHaveProperty("report_every_seconds");
    expect(world.events.at(-1)?.report_every_seconds).toBe(4);
  });

  it("follows the suite when it asks for less", async () => {
    world.watch();
    world.video.play();
    await world.pass(5000);
    world.answer = accepted(30);
    await world.pass(100_000);
    expect(world.of("heartbeat")).toHaveLength(4);
    expect(world.texts).toHaveLength(5);
  });

  it("begins with a quick first report", async () => {
    world.watch();
    world.video.play();
    await world.pass(1000);
    expect(world.types).toEqual(["join", "play"]);
  });

  it("is kept while the video is paused, by timers that are early by a fraction", async () => {
    const exact = performance.now.bind(performance);
    const early = vi.spyOn(performance, "now").mockImplementation(() => exact() + 0.9);
    world.watch();
    world.video.play();
    world.video.pause();
    early.mockImplementation(() => exact() + 0.2);
    await world.pass(21_000);
    expect(world.of("heartbeat")).toHaveLength(2);
  });

  it("is kept in a hidden tab whose timers are held back, as long as the video plays", async () => {
    vi.stubGlobal("setTimeout", () => 0);
    world.watch();
    world.video.play();
    await world.pass(30_500);
    expect(world.of("heartbeat").length).toBeGreaterThanOrEqual(2);
  });
});

describe("a suite that does not take a body", () => {
  it.each([429, 503])("is not asked again before it said, after a %i", async (status) => {
    world.answer = refused(status, { "retry-after": "7" });
    world.watch();
    world.video.play();
    await world.pass(1000);
    const tried = world.texts.length;
    expect(tried).toBe(1);
    await world.pass(6000);
    expect(world.texts).toHaveLength(tried);
    world.answer = accepted();
    await world.pass(6000);
    expect(world.texts[1]).toBe(world.texts[0]);
    expect(world.types).toEqual(["join", "play"]);
  });

  it("is not asked at once when the network comes back, where it said how long to wait", async () => {
    world.answer = refused(503, { "retry-after": "60" });
    world.watch();
    world.video.play();
    await world.pass(1000);
    window.dispatchEvent(new Event("online"));
    await world.pass(1000);
    expect(world.texts).toHaveLength(1);
  });

  it("is told when to come back as a date, too", async () => {
    world.answer = refused(503, { "retry-after": new Date(Date.now() + 20_000).toUTCString() });
    world.watch();
    world.video.play();
    await world.pass(18_000);
    expect(world.texts).toHaveLength(1);
  });

  it("gets the very same bytes again, less and less often, while nobody is there", async () => {
    world.answer = unreachable;
    world.watch();
    world.video.play();
    await world.pass(60_000);
    expect(new Set(world.texts).size).toBe(1);
    expect(world.texts.length).toBeGreaterThan(4);
    expect(world.texts.length).toBeLessThan(20);
    world.answer = accepted();
    window.dispatchEvent(new Event("online"));
    await world.pass(1000);
    expect(world.watched).toBe(60_000);
  });

  it("has a body dropped that it will never take, and the console says why", async () => {
    world.answer = refused(401, {}, { detail: "a write key is needed" });
    world.watch();
    world.video.play();
    await world.pass(1000);
    world.answer = accepted();
    await world.pass(20_000);
    expect(warned()).toContain("401: a write key is needed");
    expect(world.types).toEqual([]);
    expect(world.of("heartbeat")).toHaveLength(2);
  });

  it("is not held up for ever by a body that it fails over", async () => {
    world.answer = refused(500);
    world.watch();
    world.video.play();
    await world.pass(900_000);
    world.answer = accepted();
    await world.pass(60_000);
    expect(world.of("heartbeat").length).toBeGreaterThan(5);
    expect(warned()).toContain("500: no");
  });

  it("says on the console why it rejected an event", async () => {
    const rejected = [{ index: 0, reason: "content_id is over 256 bytes" }];
    world.answer = refused(202, {}, { accepted: 1, rejected, report_every_seconds: 10 });
    world.watch();
    world.video.play();
    await world.pass(1000);
    expect(warned()).toContain("content_id is over 256 bytes");
  });
});

describe("while nobody can be reached for long", () => {
  it("leaves out heartbeats first, never what viewers did, says how many, and keeps the watched time", async () => {
    world.answer = unreachable;
    const handle = world.watch();
    world.video.play();
    for (let hour = 0; hour < 40; hour++) {
      await world.pass(100_000);
      world.video.pause();
      world.video.play();
    }
    world.answer = accepted();
    handle.stop();
    await world.pass(120_000);
    expect(world.of("pause")).toHaveLength(40);
    expect(world.of("play")).toHaveLength(41);
    expect(world.of("heartbeat").length).toBeLessThan(300);
    expect(warned()).toMatch(/^Grandstand:\n\d{3} events were left out/);
    expect(world.watched).toBe(4_000_000);
  });
});
