import { vi } from "vitest";

import type { Handle, Options } from "../src/index.ts";
import { FakeVideo } from "./fake-video.ts";

export interface Sent {
  event_type: string;
  event_timestamp: number;
  event_id: string;
  content_id: string;
  session_id: string;
  [field: string]: unknown;
}

interface Body {
  batch_id: string;
  consent?: string;
  child?: boolean;
  events: Sent[];
}

type Answer = () => Promise<Response>;

/** As much of an answer as is read; happy-dom's own takes its time. */
const answer = (status: number, told: object, headers: Record<string, string> = {}): Promise<Response> => {
  const ok = status < 300;
  const json = (): Promise<object> => Promise.resolve(told);
  return Promise.resolve({ ok, status, statusText: "", headers: new Headers(headers), json } as Response);
};

export const accepted =
  (report_every_seconds = 10): Answer =>
  () =>
    answer(202, { accepted: 1, rejected: [], report_every_seconds });

export const refused =
  (status: number, headers: Record<string, string> = {}, told: object = { detail: "no" }): Answer =>
  () =>
    answer(status, told, headers);

export const unreachable: Answer = () => Promise.reject(new TypeError("Failed to fetch"));

/** The body arrives, its answer does not. */
export const lost: Answer = () => unreachable();

/** A page, its clock and the suite it reports to. `load` comes again for each page: modules and their state too. */
export class World {
  answer: Answer = accepted();
  video = new FakeVideo();
  /** What arrived and was acknowledged, each body once, by its id. */
  arrived = new Map<string, Body>();
  texts: string[] = [];
  urls: string[] = [];
  beacons: string[] = [];
  takesBeacons = true;
  requests: RequestInit[] = [];

  static async open(): Promise<World> {
    vi.useFakeTimers({ now: Date.UTC(2026, 5, 1) });
    vi.resetModules();
    localStorage.clear();
    const world = new World();
    vi.stubGlobal("fetch", (url: string, request: RequestInit) => world.fetch(url, request));
    Object.defineProperty(navigator, "sendBeacon", {
      configurable: true,
      value: (url: string, text: string) => world.beacon(url, text),
    });
    await world.load();
    return world;
  }

  async load(): Promise<void> {
    vi.resetModules();
    this.module = await import("../src/index.ts");
    this.video = new FakeVideo();
  }

  /** Nothing of this page is left for the next test. */
  end(): void {
    for (const handle of this.handles) handle.stop();
    vi.useRealTimers();
    vi.unstubAllGlobals();
    visibility("visible");
  }

  private handles: Handle[] = [];
  private module: typeof import("../src/index.ts") | undefined;

  watch(options: Partial<Options> = {}, video = this.video): Handle {
    const given = { endpoint: "https://suite.test", content: "final", viewer: "ada", ...options };
    if (!this.module) throw new Error("the page is not loaded");
    const handle = this.module.watch(video.media, given);
    this.handles.push(handle);
    return handle;
  }

  /** Watches from the first frame, which takes 400 ms. */
  async begin(): Promise<Handle> {
    const handle = this.watch();
    this.video.press();
    await this.pass(400);
    this.video.show();
    return handle;
  }

  /** The viewer leaves, and all of it arrives. */
  async finish(handle: Handle): Promise<void> {
    handle.stop();
    await this.rest();
  }

  /** Time goes by; videos play on. */
  async pass(ms: number, ...videos: FakeVideo[]): Promise<void> {
    for (let left = ms; left > 0; left -= 250) {
      await vi.advanceTimersByTimeAsync(Math.min(left, 250));
      for (const video of videos.length > 0 ? videos : [this.video]) video.tick();
    }
  }

  /** What is under way arrives. */
  async rest(): Promise<void> {
    for (let turn = 0; turn < 20; turn++) await vi.advanceTimersByTimeAsync(0);
  }

  async fetch(url: string, request: RequestInit): Promise<Response> {
    const text = request.body as string;
    this.urls.push(url);
    this.texts.push(text);
    this.requests.push(request);
    if (this.answer === lost) this.take(text);
    const response = await this.answer();
    if (response.ok) this.take(text);
    return response;
  }

  private beacon(url: string, text: string): boolean {
    this.urls.push(url);
    this.texts.push(text);
    this.beacons.push(text);
    if (this.takesBeacons) this.take(text);
    return this.takesBeacons;
  }

  private take(text: string): void {
    const body = JSON.parse(text) as Body;
    const before = this.arrived.get(body.batch_id);
    if (before && JSON.stringify(before) !== JSON.stringify(body)) throw new Error("a retry differs");
    this.arrived.set(body.batch_id, body);
  }

  get bodies(): Body[] {
    return [...this.arrived.values()];
  }

  get events(): Sent[] {
    return this.bodies.flatMap((body) => body.events);
  }

  of(type: string): Sent[] {
    return this.events.filter((event) => event.event_type === type);
  }

  get types(): string[] {
    return this.events.map((event) => event.event_type).filter((type) => type !== "heartbeat");
  }

  get watched(): number {
    return sumOf(this.events);
  }

  watchedOf(content: string): number {
    return sumOf(this.events.filter((event) => event.content_id === content));
  }

  hide(): void {
    visibility("hidden");
  }

  close({ persisted = false } = {}): void {
    window.dispatchEvent(pageEvent("pagehide", persisted));
  }

  comeBack(): void {
    window.dispatchEvent(pageEvent("pageshow", true));
  }
}

const sumOf = (events: Sent[]): number =>
  events.reduce((sum, event) => sum + Number(event.watched_ms ?? 0), 0);

export const visibility = (state: "hidden" | "visible"): void => {
  Object.defineProperty(document, "visibilityState", { configurable: true, value: state });
  document.dispatchEvent(new Event("visibilitychange"));
};

const pageEvent = (type: string, persisted: boolean): Event => Object.assign(new Event(type), { persisted });

/** What the browser says of its user's wish. */
export const wish = (name: "doNotTrack" | "globalPrivacyControl", value: unknown): void => {
  Object.defineProperty(navigator, name, { configurable: true, value });
};
