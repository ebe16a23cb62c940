/** The types of beacon.mjs, and of the global that beacon.js adds. README.md explains each option. */

export type Consent = "none" | "analytics" | "personalisation";

export interface Options {
  /** The suite's address, as `https://grandstand.example`. */
  endpoint: string;
  /** The write key; on loopback none is needed. */
  key?: string | undefined;
  content: string | number;
  contentType?: string | undefined;
  /** The platform's own id of the viewer. */
  viewer?: string | number | undefined;
  /** The platform's own id of the first session. */
  session?: string | number | undefined;
  consent?: Consent | undefined;
  child?: boolean | undefined;
  attributes?: Record<string, string | undefined> | undefined;
  /** An instance of hls.js, dash.js, Shaka or video.js. */
  player?: unknown;
  respectDoNotTrack?: "none" | "silent" | undefined;
}

export interface Handle {
  /** The viewer leaves; what is known is sent, and no listener stays behind. */
  stop(): void;
  /** The viewer agreed to something else. */
  consent(value: Consent): void;
  /** The viewer goes on to another content, on the same video. A session of the platform's own may be named. */
  content(id: string | number, session?: string | number): void;
}

/** Reports what a viewer does with a video. Never throws. */
export function watch(video: HTMLMediaElement, options: Options): Handle;

/** Watches every video of the page that `selector` names, from when it plays, those to come too. */
export function watchPage(options: Options, selector?: string): Handle;

/** What speaks for the videos that the script's own attributes asked for. */
export let page: Handle | undefined;

export as namespace Grandstand;
