import type { ReactiveController, ReactiveControllerHost } from "lit";

import { contentPath, Failed, get } from "../../api/client.ts";
import type { Audience, AudienceWindow, Dimension, Now, Recent, Resolution } from "../../api/types.ts";
import type { Span } from "../../parts/chart/model.ts";
import { Series } from "./series.ts";
import { STEPS, told } from "./view.ts";

/** What a history asks of the world; tests give it another. */
export interface World {
  fetch: (path: string, signal: AbortSignal) => Promise<Audience | Recent>;
  now: () => number;
  random: () => number;
}

const BROWSER: World = { fetch: get, now: Date.now, random: Math.random };

/** How far back `audience/recent` reaches, less a margin for how old a cache's copy may be. */
const RECENT_MS: Record<Resolution, number> = { "5s": 160_000, "1m": 14 * 60_000, "1h": 0 };
/** How old its answer may be: the suite keeps it for five seconds, and a cache before the suite for as long. */
const RECENT_OLD_MS = 10_000;
/** Asking for it again sooner tells nothing new. */
const RECENT_EVERY_MS = 5_000;
/** Players report every ten to sixty seconds: how often the newest windows are read again for what was late. */
const AGAIN_MS: Record<Resolution, number> = { "5s": 30_000, "1m": 30_000, "1h": 300_000 };
const LATE_MS = 120_000;
const BACKOFF_MS = [1_000, 30_000] as const;

export interface Wanted {
  contentId: string;
  resolution: Resolution;
  /** Which splits windows carry; null for none. */
  by: Dimension | null;
  /** What is shown. */
  shown: Span;
  /** What is kept beside it: a view that stands still goes on collecting what is live. */
  live: Span;
  /** The time now, by the suite's clock. */
  now: number;
}

/**
 * A content's windows for a stretch of time: what of it is missing is asked for, the newest first.
 *
 * The last minutes come from an address that is the same for every page, so that a cache answers nearly all of them;
 * only what lies further back is asked for by its very stretch.
 */
export class History implements ReactiveController {
  /** Why there is nothing more, where it is so. */
  failed: Failed | null = null;

  private series = new Series(STEPS["5s"]);
  private wanted: Wanted | null = null;
  private asking: AbortController | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private failures = 0;
  private rereadAt = 0;
  private recentAt = 0;

  constructor(
    private readonly host: ReactiveControllerHost,
    private readonly world: World = BROWSER,
  ) {
    host.addController(this);
  }

  /** Whether the key that was entered does not open it. */
  get closed(): boolean {
    return this.failed !== null && ["forbidden", "sign-in"].includes(this.failed.trouble);
  }

  /** Whether an answer about what is shown is still to come; what is only just over comes without a word. */
  get loading(): boolean {
    if (!this.wanted || this.failed) return false;
    const before = this.wanted.now - LATE_MS - this.series.step;
    return this.missing().some(({ from }) => from < before);
  }

  /** Show this from now on: what is missing of it is asked for. Null stops. */
  want(wanted: Wanted | null): void {
    const before = this.wanted;
    this.wanted = wanted;
    if (!wanted) {
      this.stop();
      return;
    }
    if (!before || !sameSource(before, wanted)) this.begin(wanted);
    this.series.keep([wanted.shown, wanted.live, newest(wanted)]);
    this.reread(wanted);
    this.ask();
  }

  /** What the live address has told. */
  take({ as_of, windows }: Now): void {
    const { step } = this.series;
    if (this.wanted?.resolution !== "5s" || this.wanted.by !== null) return;
    const running = Math.floor(Date.parse(as_of) / step) * step;
    this.series.merge(windows, { from: running - step, to: running + step }, this.world.now());
  }

  /** The windows of a stretch, as far as they are there. */
  windows(span: Span): AudienceWindow[] {
    return this.series.within(span);
  }

  hostConnected(): void {
    this.ask();
  }

  hostDisconnected(): void {
    this.stop();
  }

  private begin(wanted: Wanted): void {
    this.stop();
    this.series = new Series(STEPS[wanted.resolution]);
    this.failed = null;
    this.failures = 0;
    this.recentAt = 0;
    this.rereadAt = this.world.now() + this.world.random() * AGAIN_MS[wanted.resolution];
  }

  /** Late events fill windows that were read before: read the newest again, now and then, if they are looked at. */
  private reread({ resolution, now, live }: Wanted): void {
    if (this.world.now() < this.rereadAt || live.to <= now - LATE_MS) return;
    this.rereadAt = this.world.now() + AGAIN_MS[resolution] * (0.8 + 0.4 * this.world.random());
    this.series.forget({ from: Math.max(live.from, now - Math.max(LATE_MS, 2 * this.series.step)), to: now });
  }

  private missing(): Span[] {
    if (!this.wanted) return [];
    const { shown, live, now } = this.wanted;
    const until = ({ from, to }: Span): Span => ({ from, to: Math.min(to, now) });
    const stretches = [until(shown), until(live)].filter(({ from, to }) => from < to);
    return stretches.flatMap((span) => this.series.missing(span));
  }

  private stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.asking?.abort();
    this.asking = null;
  }

  private ask(): void {
    const { wanted } = this;
    if (!wanted || this.asking || this.timer !== undefined) return;
    const gaps = this.missing();
    const edge = wanted.now - RECENT_MS[wanted.resolution];
    const refused = this.failed !== null && !this.failed.passing;
    const recent = gaps.some(({ from, to }) => from >= edge || (refused && to > edge));
    const older = gaps.findLast(({ from }) => from < edge);
    if (recent && this.world.now() >= this.recentAt) void this.fillRecent(wanted);
    else if (older && !refused) void this.fill(older, wanted);
  }

  private async fill(gap: Span, wanted: Wanted): Promise<void> {
    const query = { from: told(gap.from), to: told(gap.to), ...kind(wanted) };
    await this.answered(
      gap,
      wanted.contentId,
      `/audience?${new URLSearchParams(query).toString()}`,
      ({ windows }, at) => {
        this.failed = null;
        this.series.merge(windows, gap, at);
      },
    );
  }

  private async fillRecent(wanted: Wanted): Promise<void> {
    this.recentAt = this.world.now() + RECENT_EVERY_MS;
    const about = { from: wanted.now - RECENT_MS[wanted.resolution], to: wanted.now };
    const path = `/audience/recent?${new URLSearchParams(kind(wanted)).toString()}`;
    const heard = await this.answered(about, wanted.contentId, path, (answer, at) => {
      if (this.failed?.passing) this.failed = null;
      const stretch = "from" in answer ? { from: Date.parse(answer.from), to: Date.parse(answer.to) } : about;
      this.series.merge(answer.windows, stretch, at - RECENT_OLD_MS);
    });
    if (!heard && this.failed && !this.failed.passing) this.recentAt = Infinity;
  }

  /** Ask, and take the answer; `about` is the stretch that it was to speak for. Returns whether there was one. */
  private async answered(
    about: Span,
    contentId: string,
    path: string,
    take: (answer: Audience | Recent, askedAt: number) => void,
  ): Promise<boolean> {
    const asking = new AbortController();
    this.asking = asking;
    const askedAt = this.world.now();
    let answer: Audience | Recent | null = null;
    try {
      answer = await this.world.fetch(contentPath(contentId, path), asking.signal);
    } catch (error) {
      if (!asking.signal.aborted)
        this.refused(about, error instanceof Failed ? error : new Failed("refused", String(error)));
    }
    if (asking.signal.aborted) return false;
    this.asking = null;
    if (answer) {
      this.failures = 0;
      take(answer, askedAt);
      this.ask();
    }
    this.host.requestUpdate();
    return answer !== null;
  }

  private refused(gap: Span, failed: Failed): void {
    if (failed.trouble === "missing") {
      // nothing was ever reported of it: that is an answer, and what comes later comes live
      this.series.merge([], gap, this.world.now());
      return;
    }
    this.failed = failed;
    if (!failed.passing) return;
    const [least, most] = BACKOFF_MS;
    const pause = this.world.random() * Math.min(most, least * 2 ** this.failures);
    this.failures += 1;
    this.timer = setTimeout(
      () => {
        this.timer = undefined;
        this.ask();
      },
      (failed.retryAfterMs ?? least) + pause,
    );
  }
}

/** Which windows are asked for. */
const kind = ({ resolution, by }: Wanted) => ({ resolution, by: by ?? "none" });

const sameSource = (one: Wanted, other: Wanted): boolean =>
  one.contentId === other.contentId && one.resolution === other.resolution && one.by === other.by;

/** What the live address tells of at any time. */
const newest = ({ now }: Wanted): Span => ({ from: now - LATE_MS, to: now + LATE_MS });
