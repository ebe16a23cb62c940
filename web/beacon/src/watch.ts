import { awake } from "./clock.ts";
import { guarded, listeners, warn } from "./guard.ts";
import {
  consentFault,
  doNotTrack,
  faultOf,
  isConsent,
  nameOf,
  randomId,
  type Consent,
  type Options,
} from "./options.ts";
import { outbox } from "./outbox.ts";
import { playback } from "./playback.ts";
import { adapt, type Player } from "./players.ts";
import type { View } from "./told.ts";

/** What a platform holds of a video that is watched. */
export interface Handle {
  /** The viewer leaves; what is known is sent, and no listener stays behind. */
  stop(): void;
  /** The viewer agreed to something else. */
  consent(value: Consent): void;
  /** The viewer goes on to another content, on the same video. A session of the platform's own may be named. */
  content(id: string | number, session?: string | number): void;
}

const nothing = (): void => undefined;
const INERT: Handle = { stop: nothing, consent: nothing, content: nothing };
/** The first report comes within so many ms of joining, not all at once. */
const FIRST_MS = 1_000;

/** Where a video's handle stands, for a second copy of this script to find. */
const WATCHED = Symbol.for("grandstand.watched");

interface Watched extends HTMLMediaElement {
  [WATCHED]?: Handle | undefined;
}

/** Whether the video is watched already. */
export const isWatched = (video: Watched): boolean => video[WATCHED] !== undefined;

/**
 * Reports what a viewer does with a video. Never throws: what is wrong with the options is said on the console, and
 * nothing is reported then. Watching a video anew ends what was watched before.
 */
export const watch = (video: Watched, options: Options): Handle => {
  const fault = faultOf(video, options);
  if (fault) {
    warn(fault);
    return INERT;
  }
  if (options.respectDoNotTrack === "silent" && doNotTrack()) return INERT;
  try {
    video[WATCHED]?.stop();
    return (video[WATCHED] = start(video, options));
  } catch (error) {
    warn(error);
    return INERT;
  }
};

const start = (video: Watched, options: Options): Handle => {
  const heard = listeners();
  const { on } = heard;
  const viewOf = (content: string | number, session?: string | number): View => ({
    content: String(content),
    session: nameOf(session) ?? randomId(),
    alias: randomId(),
  });
  let view = viewOf(options.content, options.session);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let first: ReturnType<typeof setTimeout> | undefined;
  /** When the next report is due, by performance.now(). */
  let dueAt = Infinity;
  /** The page was left, and may come back as it was; or all is over. */
  let away = false;
  let lastAt = 0;
  const wasConnected = video.isConnected;
  let player: Player | undefined;

  const schedule = (): void => {
    dueAt = lastAt + out.every() * 1000;
    clearTimeout(timer);
    timer = setTimeout(guarded(report), Math.max(0, Math.ceil(dueAt - performance.now())));
  };

  const rest = (): void => {
    clearTimeout(timer);
    clearTimeout(first);
    dueAt = Infinity;
  };

  const isRemoved = (): boolean => wasConnected && !video.isConnected;

  const report = (): void => {
    if (isRemoved()) {
      stop();
      return;
    }
    lastAt = performance.now();
    schedule();
    guarded(playing.report)();
    out.flush();
    if (!playing.present()) rest();
  };

  /** Looks for a report that is overdue whenever the video plays on, since timers of hidden tabs are slowed down. */
  const beat = (): void => {
    if (performance.now() >= dueAt) report();
  };

  const out = outbox(options, () => {
    if (dueAt < Infinity) schedule();
  });

  const stop = (): void => {
    playing.leave();
    away = true;
    rest();
    heard.off();
    player?.off();
    out.flush(true);
    video[WATCHED] = undefined;
  };

  on(video, "pause", () => {
    if (isRemoved()) stop();
  });

  const playing = playback(
    video,
    heard,
    (told) => {
      out.add(view, told);
      if (told.event_type === "stop" || told.event_type === "complete") {
        rest();
        if (!away) out.flush();
      } else if (dueAt === Infinity) {
        lastAt = performance.now();
        schedule();
        first = setTimeout(guarded(out.flush), Math.random() * FIRST_MS);
      }
    },
    () => player?.quality(),
    beat,
    () => away,
  );
  guarded(() => {
    player = adapt(options.player, guarded(playing.look), guarded(playing.fail));
  })();

  on(document, "visibilitychange", () => {
    if (document.visibilityState === "hidden") {
      playing.report();
      out.flush();
    } else {
      awake();
      beat();
    }
  });
  on(window, "pagehide", () => {
    away = true;
    playing.leave();
    out.depart();
  });
  on(window, "pageshow", (event) => {
    away = false;
    awake();
    if ((event as PageTransitionEvent).persisted) out.resume();
  });
  on(window, "online", out.retry);
  out.resume();
  guarded(playing.begin)();

  return {
    stop: guarded(stop),
    consent: guarded((value) => {
      if (isConsent(value)) out.consent(value);
      else warn(consentFault);
    }),
    content: guarded((id, session) => {
      if (nameOf(id) === view.content && !session) return;
      if (id) playing.zap(() => (view = viewOf(id, session)));
      else warn("content(id) needs the id of the content");
    }),
  };
};
