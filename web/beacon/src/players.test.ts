import { describe, expect, it } from "vitest";

import { adapt } from "./players.ts";

type Listener = (...given: unknown[]) => void;

/** An emitter as hls.js, dash.js and video.js have it. */
class Emitter {
  listeners = new Map<string, Listener>();
  on(type: string, listener: Listener): void {
    this.listeners.set(type, listener);
  }
  off(type: string, listener: Listener): void {
    if (this.listeners.get(type) === listener) this.listeners.delete(type);
  }
  say(type: string, ...given: unknown[]): void {
    this.listeners.get(type)?.(...given);
  }
}

/** Listens to a player; what it told so far. */
const hear = (player: object) => {
  const told: unknown[] = [];
  const adapted = adapt(
    player,
    () => told.push(adapted?.quality()),
    (code) => told.push(code),
  );
  return { told, adapted };
};

describe("hls.js", () => {
  const levels = [
    { bitrate: 300_000, height: 180 },
    { bitrate: 900_400, height: 360 },
  ];

  it("tells the level that is shown, and fatal errors only", () => {
    const hls = Object.assign(new Emitter(), { levels, currentLevel: -1 });
    const { told, adapted } = hear(hls);
    expect(adapted?.quality()).toBeUndefined();
    hls.currentLevel = 1;
    hls.say("hlsLevelSwitched", "hlsLevelSwitched", { level: 1 });
    hls.say("hlsError", "hlsError", { fatal: false, details: "fragLoadTimeOut" });
    hls.say("hlsError", "hlsError", { fatal: true, details: "manifestLoadError" });
    expect(told).toEqual([{ quality_level: "360p", bitrate_kbps: 900 }, "manifestLoadError"]);
    adapted?.off();
    expect(hls.listeners.size).toBe(0);
  });
});

describe("dash.js", () => {
  it("tells the representation that is rendered, from version 5", () => {
    const shown = { bitrateInKbit: 300, height: 180, bandwidth: 300_000 };
    const dash = Object.assign(new Emitter(), { getCurrentRepresentationForType: () => shown });
    const { told, adapted } = hear(dash);
    expect(adapted?.quality()).toEqual({ quality_level: "180p", bitrate_kbps: 300 });
    const newRepresentation = { bitrateInKbit: 900, height: 360, bandwidth: 900_000 };
    dash.say("qualityChangeRendered", { mediaType: "audio", newRepresentation: shown });
    dash.say("qualityChangeRendered", { mediaType: "video", newRepresentation });
    dash.say("error", { error: { code: 27, message: "…" } });
    expect(told).toEqual([{ quality_level: "360p", bitrate_kbps: 900 }, "dash_27"]);
  });

  it("tells it in version 4 too", () => {
    const list = [
      { bitrate: 300_000, height: 180 },
      { bitrate: 900_000, height: 360 },
    ];
    const dash = Object.assign(new Emitter(), { getBitrateInfoListFor: () => list });
    const { told } = hear(dash);
    dash.say("qualityChangeRendered", { mediaType: "video", newQuality: 1 });
    expect(told).toEqual([{ quality_level: "360p", bitrate_kbps: 900 }]);
  });
});

describe("Shaka", () => {
  it("tells the active variant, and errors that end playback", () => {
    const tracks = [
      { active: false, bandwidth: 300_000, height: 180 },
      { active: true, bandwidth: 900_000, height: 360 },
    ];
    const player = Object.assign(new EventTarget(), { getVariantTracks: () => tracks });
    const { told, adapted } = hear(player);
    const fail = (severity: number): boolean =>
      player.dispatchEvent(Object.assign(new Event("error"), { detail: { severity, code: 1001 } }));
    player.dispatchEvent(new Event("adaptation"));
    fail(1);
    fail(2);
    expect(told).toEqual([{ quality_level: "360p", bitrate_kbps: 900 }, "shaka_1001"]);
    adapted?.off();
    fail(2);
    expect(told).toHaveLength(2);
  });
});

describe("video.js", () => {
  it("tells the playlist of its engine, and its errors", () => {
    const attributes = { BANDWIDTH: 900_000, RESOLUTION: { width: 640, height: 360 } };
    const tech = Object.assign(new Emitter(), { vhs: { playlists: { media: () => ({ attributes }) } } });
    const player = Object.assign(new Emitter(), { tech: () => tech, error: () => ({ code: 4 }) });
    const { told } = hear(player);
    tech.say("mediachange");
    player.say("error");
    expect(told).toEqual([{ quality_level: "360p", bitrate_kbps: 900 }, "videojs_4"]);
  });

  it("is silent about quality where the browser plays by itself", () => {
    const player = Object.assign(new Emitter(), { tech: () => new Emitter(), error: () => null });
    expect(hear(player).adapted?.quality()).toBeUndefined();
  });
});

describe("another player", () => {
  it.each([undefined, null, {}, { on: 3 }, "hls"])("is left alone", (player) => {
    expect(
      adapt(
        player,
        () => undefined,
        () => undefined,
      ),
    ).toBeUndefined();
  });
});
