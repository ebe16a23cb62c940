import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { FakeVideo } from "../test/fake-video.ts";
import { World } from "../test/world.ts";

let world: World;
beforeEach(async () => {
  world = await World.open();
});
afterEach(() => {
  world.end();
});

describe("what is told", () => {
  it("tells nothing of a video that nobody plays", async () => {
    world.watch();
    await world.pass(60_000);
    world.close();
    expect(world.texts).toEqual([]);
  });

  it("tells a start-up with the first frame, once", async () => {
    const handle = await world.begin();
    await world.pass(1000);
    world.video.pause();
    await world.pass(1000);
    world.video.play();
    await world.finish(handle);
    expect(world.types).toEqual(["join", "play", "pause", "play", "stop"]);
    expect(world.of("play").map((event) => event.startup_ms)).toEqual([400, undefined]);
  });

  it("does not count waiting for the first frame as a stall", async () => {
    const handle = world.watch();
    world.video.press();
    world.video.say("waiting");
    await world.pass(700);
    world.video.show();
    await world.finish(handle);
    expect(world.types).toEqual(["join", "play", "stop"]);
    expect(world.of("play")[0]?.startup_ms).toBe(700);
  });

  it("tells a stall at its end, with its length", async () => {
    const handle = await world.begin();
    await world.pass(3000);
    world.video.starve();
    await world.pass(1500);
    world.video.show();
    await world.pass(500);
    await world.finish(handle);
    expect(world.types).toEqual(["join", "play", "stall", "stop"]);
    expect(world.of("stall")[0]).toMatchObject({ stall_ms: 1500, watched_ms: 3000, position_seconds: 3 });
    expect(world.watched).toBe(3500);
  });

  it("sees that a stall is over where the browser does not say so", async () => {
    const handle = await world.begin();
    await world.pass(1000);
    world.video.say("waiting");
    await world.pass(500);
    await world.finish(handle);
    expect(world.of("stall")).toHaveLength(1);
  });

  it.each([
    [
      "a pause",
      (video: FakeVideo) => {
        video.pause();
      },
    ],
    [
      "a seek",
      (video: FakeVideo) => {
        video.seek(100);
      },
    ],
  ])("ends a stall with %s", async (_, act) => {
    const handle = await world.begin();
    world.video.starve();
    await world.pass(800);
    act(world.video);
    await world.pass(5000);
    await world.finish(handle);
    expect(world.of("stall").map((event) => event.stall_ms)).toEqual([800]);
  });

  it("tells from where to where a seek went, and waiting for it is no stall", async () => {
    const handle = await world.begin();
    await world.pass(12_100);
    world.video.seek(60);
    world.video.seek(90);
    await world.pass(2000);
    world.video.settle();
    await world.pass(1000);
    await world.finish(handle);
    expect(world.of("seek")).toHaveLength(1);
    expect(world.of("seek")[0]).toMatchObject({ seek_from_seconds: 12.1, position_seconds: 90 });
    expect(world.of("stall")).toEqual([]);
    expect(world.watched).toBe(13_100);
  });

  it("is not told of where a video begins again by itself", async () => {
    world.video.loop = true;
    world.video.duration = 5;
    const handle = world.watch();
    world.video.play();
    for (let turn = 0; turn < 3; turn++) {
      await world.pass(5000);
      world.video.seek(0);
      world.video.settle();
    }
    handle.stop();
    await world.rest();
    expect(world.types).toEqual(["join", "play", "stop"]);
    expect(world.watched).toBe(15_000);
  });

  it("lets a stall go on when the player jumps over a gap", async () => {
    const handle = await world.begin();
    await world.pass(2000);
    world.video.starve();
    await world.pass(1000);
    world.video.seek(2.2);
    await world.pass(300);
    world.video.settle();
    await world.finish(handle);
    expect(world.types).toEqual(["join", "play", "stall", "stop"]);
    expect(world.of("stall")[0]?.stall_ms).toBe(1300);
  });

  it("completes at the end, without a pause, and joins anew when it is played again", async () => {
    const handle = await world.begin();
    await world.pass(5000);
    world.video.end();
    await world.pass(60_000);
    expect(world.types).toEqual(["join", "play", "complete"]);
    world.video.seek(0);
    world.video.press();
    world.video.settle();
    await world.pass(2000);
    await world.finish(handle);
    expect(world.types).toEqual(["join", "play", "complete", "join", "play", "stop"]);
    expect(world.of("play").map((event) => event.startup_ms)).toEqual([400, undefined]);
    expect(new Set(world.events.map((event) => event.session_id)).size).toBe(1);
    expect(world.watched).toBe(7000);
  });

  it("starts up anew with another source, in the same session", async () => {
    const handle = await world.begin();
    await world.pass(1000);
    world.video.load();
    world.video.press();
    await world.pass(900);
    world.video.show();
    await world.finish(handle);
    expect(world.types).toEqual(["join", "play", "play", "stop"]);
    expect(world.of("play").map((event) => event.startup_ms)).toEqual([400, 900]);
  });

  it("lets the viewer leave when the source is taken away", async () => {
    await world.begin();
    world.video.load({ none: true });
    await world.pass(100);
    expect(world.types).toEqual(["join", "play", "stop"]);
  });

  it("lets the viewer leave when the video is taken out of the page", async () => {
    await world.begin();
    world.video.isConnected = false;
    world.video.pause();
    await world.pass(60_000);
    expect(world.types).toEqual(["join", "play", "stop"]);
  });

  it("tells an error of the browser by its name, once, and then is silent until it plays again", async () => {
    const handle = await world.begin();
    world.video.fail(3);
    world.video.say("error");
    await world.pass(60_000);
    expect(world.of("heartbeat")).toEqual([]);
    expect(world.of("error").map((event) => event.error_code)).toEqual(["MEDIA_ERR_DECODE"]);
    await world.finish(handle);
    expect(world.types).toEqual(["join", "play", "error", "stop"]);
  });

  it("takes up a video that plays already, whose start-up nobody knows", async () => {
    world.video.play();
    world.video.played = { length: 1, start: () => 0, end: () => 40 };
    const handle = world.watch();
    await world.pass(2000);
    await world.finish(handle);
    expect(world.types).toEqual(["join", "play", "stop"]);
    expect(world.of("play")[0]?.startup_ms).toBeUndefined();
    expect(world.watched).toBe(2000);
  });

  it("takes a viewer who has paused for five minutes for gone", async () => {
    await world.begin();
    await world.pass(1000);
    world.video.pause();
    await world.pass(400_000);
    expect(world.types).toEqual(["join", "play", "pause", "stop"]);
    expect(world.of("heartbeat").at(-1)?.player_state).toBe("paused");
    world.video.play();
    await world.pass(2000);
    expect(world.types.slice(4)).toEqual(["join", "play"]);
  });

  it("tells of a live stream without an end", async () => {
    world.video.duration = Infinity;
    const handle = await world.begin();
    await world.pass(11_000);
    await world.finish(handle);
    expect(world.of("heartbeat")[0]).toMatchObject({ player_state: "playing", playback_rate: 1 });
    expect(world.watched).toBe(11_000);
  });

  it("goes on to another content in a session of its own", async () => {
    const handle = world.watch();
    world.video.play();
    await world.pass(3000);
    handle.content("semi-final");
    await world.pass(2000);
    await world.finish(handle);
    const told = (content: string): string[] =>
      world.events.filter((event) => event.content_id === content).map((event) => event.event_type);
    expect(told("final")).toEqual(["join", "play", "stop"]);
    expect(told("semi-final")).toEqual(["join", "play", "stop"]);
    expect(new Set(world.events.map((event) => event.session_id)).size).toBe(2);
    expect(world.watchedOf("final")).toBe(3000);
    expect(world.watchedOf("semi-final")).toBe(2000);
  });

  it("tells of quality by the picture's height where no player says more", async () => {
    world.video.videoHeight = 180;
    const handle = await world.begin();
    await world.pass(3000);
    world.video.videoHeight = 720;
    world.video.say("resize");
    await world.pass(2000);
    await world.finish(handle);
    const told = world.events.map((event) => [event.event_type, event.quality_level, event.watched_ms]);
    expect(told).toEqual([
      ["join", undefined, undefined],
      ["play", "180p", undefined],
      ["heartbeat", "180p", 3000],
      ["quality_change", "720p", undefined],
      ["stop", "720p", 2000],
    ]);
  });
});
