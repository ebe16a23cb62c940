import type { ReactiveController, ReactiveControllerHost } from "lit";

import { contentPath, Failed, get } from "../../api/client.ts";
import type { Audience, AudienceWindow, Dimension, Now, Resolution } from "../../api/types.ts";
import type { Span } from "../../parts/chart/model.ts";
import { Series } from "./series.ts";
import { STEPS, told } from "./view.ts";

/** What a history asks of the world; tests give it another. */
export interface World {
  fetch: (path: string, signal: AbortSignal) => Promise<Audience>;
  now: () => number;
  random: () => number;
}

const BROWSER: World = { fetch: get, now: Date.now, random: Math.random };

/**
 * How often the newest windows are read again, and how far back. Players report every ten to sixty seconds, so most of
 * what is late comes within two minutes; one small answer without splits, twice a minute, costs the suite a sixtieth
 * of asking for them every second.
 */
const AGAIN_MS = 30_000;
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

/** A content's windows for a stretch of time: what of it is missing is asked for, the newest first. */
export class History implements ReactiveController {
  /** Why there is nothing more, where it is so. */
  failed: Failed | null = null;

  private series = new Series(STEPS["5s"]);
  private wanted: Wanted | null = null;
  private asking: AbortController | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private failures = 0;
  private rereadAt = 0;

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
    this.rereadAt = this.world.now() + this.world.random() * AGAIN_MS;
  }

  /** Late events fill windows that were read before: read the newest again, now and then, if they are looked at. */
  private reread({ now, live }: Wanted): void {
    if (this.world.now() < this.rereadAt) return;
    this.rereadAt = this.world.now() + AGAIN_MS * (0.8 + 0.4 * this.world.random());
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
    if (this.asking || this.timer !== undefined || (this.failed && !this.failed.passing)) return;
    const gap = this.missing().at(-1);
    if (gap && this.wanted) void this.fill(gap, this.wanted);
  }

  private async fill(gap: Span, { contentId, resolution, by }: Wanted): Promise<void> {
    const asking = new AbortController();
    this.asking = asking;
    const askedAt = this.world.now();
    const query = new URLSearchParams({
      from: told(gap.from),
      to: told(gap.to),
      resolution,
      by: by ?? "none",
    });
    try {
      const path = contentPath(contentId, `/audience?${query.toString()}`);
      const { windows } = await this.world.fetch(path, asking.signal);
      if (asking.signal.aborted) return;
      this.asking = null;
      this.series.merge(windows, gap, askedAt);
      this.failed = null;
      this.failures = 0;
      this.ask();
    } catch (error) {
      if (asking.signal.aborted) return;
      this.asking = null;
      this.refused(gap, error instanceof Failed ? error : new Failed("refused", String(error)));
    }
    this.host.requestUpdate();
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

const sameSource = (one: Wanted, other: Wanted): boolean =>
  one.contentId === other.contentId && one.resolution === other.resolution && one.by === other.by;

/** What the live address tells of at any time. */
const newest = ({ now }: Wanted): Span => ({ from: now - LATE_MS, to: now + LATE_MS });
