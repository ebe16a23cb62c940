import { afterEach, expect, it, vi } from "vitest";

import type * as Typed from "../beacon.d.ts";
import * as beacon from "./index.ts";

/** What `watch` and `watchPage` take and give, and nothing else, is what the published types say. */
const typed: typeof Typed = beacon;
const told: Typed.Options = {} as beacon.Options;
const taken: beacon.Options = {} as Typed.Options;

const OPTIONS = { endpoint: "https://suite.test", content: "final" };

afterEach(() => {
  document.body.replaceChildren();
  vi.restoreAllMocks();
});

it("exports what its types say", () => {
  expect(Object.keys(typed).sort()).toEqual(["page", "watch", "watchPage"]);
  expect([told, taken]).toEqual([{}, {}]);
});

it("keeps nothing of a thousand videos that were played to their end and taken away", () => {
  let heard = 0;
  vi.spyOn(window, "addEventListener").mockImplementation(() => heard++);
  vi.spyOn(window, "removeEventListener").mockImplementation(() => heard--);
  vi.stubGlobal("fetch", () => new Promise(() => undefined));
  const handle = beacon.watchPage(OPTIONS);
  for (let turn = 0; turn < 1000; turn++) {
    const video = document.body.appendChild(document.createElement("video"));
    video.dispatchEvent(new Event("play", { bubbles: true }));
    video.dispatchEvent(new Event("ended"));
    video.remove();
    expect(heard).toBeLessThan(10);
  }
  handle.stop();
  expect(heard).toBe(0);
});

it("does not break a page that names its videos by no selector", () => {
  vi.spyOn(console, "warn").mockReturnValue();
  expect(() => {
    beacon.watchPage(OPTIONS, "[[").stop();
  }).not.toThrow();
  expect(console.warn).toHaveBeenCalled();
});
