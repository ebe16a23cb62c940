import { moment } from "./clock.ts";
import type { Listeners } from "./guard.ts";
import { bufferMs, errorOf, hasShown, isMoving, type Medium } from "./medium.ts";
import type { Quality } from "./players.ts";
import type { Told } from "./told.ts";

export interface Playback {
  /** Whether the viewer has joined and not left. */
  present(): boolean;
  /** Takes up a video that plays already. */
  begin(): void;
  /** Tells how it stands: a heartbeat, or that the viewer has long left it alone. */
  report(): void;
  /** The viewer leaves; nothing when there is none. */
  leave(): void;
  /** The viewer goes on to another content: `change` is done between leaving the one and joining the other. */
  zap(change: () => void): void;
  /** Looks whether the quality has changed. */
  look(): void;
  fail(code: string): void;
}

/** A jump shorter than this is a player's, over a gap in the media. */
const NUDGE_SECONDS = 0.5;
/** A position that is further on than the time that passed, by so much, has leapt. */
const LEAP_MS = 1_000;
/** Of what passes without a word on where the video stands no more counts: the machine may have slept. */
const UNSEEN_MS = 60_000;
/** Who has paused, or seen an error, for so long has left. */
const IDLE_MS = 300_000;
/** Reports come more often than this while the machine is awake. */
const ASLEEP_MS = 300_000;
/** Errors that come together are one, told by the browser and by the player. */
const SAME_ERROR_MS = 1_000;
const NETWORK_EMPTY = 0;

/**
 * Turns what a media element does into events. `tell` takes each; `quality` says what a player shows, where one is
 * known; `beat` is called often while the video plays, in a hidden tab too; nobody joins while the page `isAway`.
 *
 * Watched time runs while frames move: from `playing` until the video pauses, waits, seeks, ends, or is emptied. It is
 * told by the wall's clock, and less where the video's own position lags behind: when it froze unsaid, or the machine
 * slept. Each event carries what ran since the last, so the sum is what was played.
 */
export const playback = (
  video: Medium,
  { on }: Listeners,
  tell: (told: Told) => void,
  quality: () => Quality | undefined,
  beat: () => void,
  isAway: () => boolean,
): Playback => {
  let present = false;
  /** Frames move. */
  let rolling = false;
  /** A first frame of this source was shown. */
  let started = false;
  /** `play` was told, and no `pause` since. */
  let playing = false;
  let failed = false;
  /** A seek is not followed by moving frames yet. */
  let settling = false;
  /** When playback was asked for, until the first frame; durations are by performance.now(). */
  let askedAt: number | undefined;
  let stalledAt: number | undefined;
  let soughtFrom: number | undefined;
  let failedAt = -Infinity;
  let idleSince = 0;
  let watched = 0;
  /** Since frames last began to move: what passed on the wall, what the video's position tells, what was counted. */
  let [wall, media, credited] = [0, 0, 0];
  let rate = video.playbackRate;
  let position = video.currentTime;
  let settledAt = performance.now();
  let shown: Quality = {};

  /**
   * Counts the watched time up to now, or up to an event, of which a busy page hears late. While the video seeks, the
   * position stays the one it seeks from.
   */
  const settle = (event?: Event): number => {
    let now = performance.now();
    if (event?.isTrusted && event.timeStamp > settledAt && event.timeStamp < now) now = event.timeStamp;
    const seeks = video.seeking || soughtFrom !== undefined;
    const passed = now - settledAt;
    if (passed > ASLEEP_MS) {
      stalledAt &&= stalledAt + passed;
      askedAt &&= askedAt + passed;
    }
    if (rolling && rate) {
      const moved = ((video.currentTime - position) / rate) * 1000;
      wall += passed;
      media += !seeks && moved >= 0 && moved < passed + LEAP_MS ? moved : Math.min(passed, UNSEEN_MS);
      const played = Math.min(wall, media || UNSEEN_MS);
      watched += Math.max(0, played - credited);
      credited = Math.max(credited, played);
      if (seeks) position += (passed / 1000) * rate;
    }
    if (!seeks) position = video.currentTime;
    settledAt = now;
    rate = video.playbackRate;
    return now;
  };

  const send = (event_type: string, more: Partial<Told> = {}): void => {
    const watched_ms = Math.floor(watched);
    watched -= watched_ms;
    const { currentTime } = video;
    tell({
      event_type,
      event_timestamp: moment(),
      position_seconds: Number.isFinite(currentTime) ? Math.round(currentTime * 1000) / 1000 : undefined,
      watched_ms: watched_ms || undefined,
      ...shown,
      ...more,
    });
  };

  const enter = (): void => {
    if (present || isAway()) return;
    present = true;
    idleSince = settle();
    if (!started) askedAt ??= idleSince;
    send("join");
  };

  const endStall = (): void => {
    if (stalledAt === undefined) return;
    const stall_ms = Math.round(settledAt - stalledAt);
    stalledAt = undefined;
    send("stall", { stall_ms });
  };

  const endSeek = (): void => {
    const from = soughtFrom;
    soughtFrom = undefined;
    position = video.currentTime;
    if (from === undefined || Math.abs(position - from) < NUDGE_SECONDS) return;
    // it begins again by itself
    if (video.loop && from > video.duration - NUDGE_SECONDS) return;
    send("seek", { seek_from_seconds: Math.round(from * 1000) / 1000 });
  };

  const leave = (type = "stop"): void => {
    settle();
    rolling = playing = settling = failed = false;
    if (!present) return;
    endStall();
    endSeek();
    send(type);
    present = false;
  };

  const look = (): void => {
    const height = (video as Partial<HTMLVideoElement>).videoHeight;
    const next = quality() ?? { quality_level: height ? `${height}p` : undefined };
    const { quality_level, bitrate_kbps } = next;
    if (!(quality_level ?? bitrate_kbps)) return;
    if (quality_level === shown.quality_level && bitrate_kbps === shown.bitrate_kbps) return;
    const changed = present && started && Object.keys(shown).length > 0;
    // what was watched until now belongs to the old quality
    if (changed) report();
    shown = next;
    if (changed) send("quality_change");
  };

  const roll = (event?: Event): void => {
    const now = settle(event);
    if (isAway()) return;
    enter();
    if (!rolling) wall = media = credited = 0;
    rolling = true;
    settling = failed = false;
    endStall();
    look();
    if (playing) return;
    playing = started = true;
    send("play", askedAt === undefined ? {} : { startup_ms: Math.round(now - askedAt) });
    askedAt = undefined;
  };

  const stateOf = (): string => {
    if (video.paused) return "paused";
    if (rolling) return "playing";
    if (stalledAt !== undefined) return "rebuffering";
    return !started ? "starting" : settling ? "seeking" : "waiting";
  };

  const report = (): void => {
    const now = settle();
    if (!present) return;
    if (!video.paused && !failed) idleSince = now;
    if (now - idleSince > IDLE_MS) leave();
    else if (!failed)
      send("heartbeat", {
        buffer_ms: bufferMs(video),
        playback_rate: video.playbackRate,
        player_state: stateOf(),
      });
  };

  const fail = (error_code: string): void => {
    const now = settle();
    // what fails before anybody wants to see it has no audience
    if (!video.paused || video.autoplay) enter();
    if (!present) return;
    rolling = playing = false;
    failed = true;
    endStall();
    if (now - failedAt < SAME_ERROR_MS) return;
    failedAt = idleSince = now;
    send("error", { error_code });
  };

  on(video, "play", (event) => {
    const now = settle(event);
    if (!started) askedAt ??= now;
    enter();
    // it failed before, and will not say so again
    if (video.error) fail(errorOf(video));
  });
  on(video, "playing", roll);
  on(video, "pause", (event) => {
    idleSince = settle(event);
    rolling = false;
    askedAt = undefined;
    // at the end of the media `ended` follows
    if (video.ended || !present) return;
    endStall();
    playing = false;
    send("pause");
  });
  on(video, "waiting", (event) => {
    const now = settle(event);
    rolling = false;
    const seeks = settling || video.seeking;
    if (present && started && !seeks && !video.paused && !video.ended) stalledAt ??= now;
  });
  on(video, "seeking", (event) => {
    settle(event);
    if (stalledAt !== undefined && Math.abs(video.currentTime - position) < NUDGE_SECONDS) return;
    endStall();
    rolling = false;
    settling = true;
    if (present && started) soughtFrom ??= position;
  });
  on(video, "seeked", () => {
    settle();
    endSeek();
    if (isMoving(video)) roll();
  });
  on(video, "timeupdate", () => {
    const before = position;
    settle();
    // some browsers do not say `playing` after each stall
    if (!(rolling && playing) && isMoving(video) && position > before) roll();
    beat();
  });
  on(video, "ratechange", settle);
  on(video, "ended", (event) => {
    settle(event);
    rolling = false;
    stalledAt = undefined;
    leave("complete");
  });
  on(video, "emptied", (event) => {
    settle(event);
    endStall();
    rolling = started = playing = settling = failed = false;
    soughtFrom = undefined;
    shown = {};
    position = 0;
    askedAt = video.paused ? undefined : settledAt;
    if (video.networkState === NETWORK_EMPTY) leave();
  });
  on(video, "resize loadedmetadata", look);
  on(video, "error", () => {
    fail(errorOf(video));
  });

  const zap = (change: () => void): void => {
    const [was, rolled] = [present, rolling];
    leave();
    change();
    if (was) enter();
    // `play` is told when frames are seen to move: they may still be those of the old content
    rolling = was && rolled;
  };

  const begin = (): void => {
    if (video.paused || video.ended) return;
    started = hasShown(video);
    enter();
    if (started && isMoving(video)) roll();
  };

  return { present: () => present, begin, report, leave, zap, look, fail };
};
