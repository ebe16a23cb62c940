import type { AudienceWindow } from "../../api/types.ts";
import type { Span } from "../../parts/chart/model.ts";
import { both, minus, union, widened, type Spans } from "./spans.ts";

interface Held {
  window: AudienceWindow;
  askedAt: number;
}

/**
 * A content's windows of one resolution, put together from many answers, and for what time they are known.
 *
 * An answer speaks for a stretch of time: a window that it leaves out had no events. Of two answers about a window the
 * one that was asked for later holds, in whichever order they come. What no answer speaks for is missing: after sleep,
 * a lost network or a restart it is found there and asked for.
 */
export class Series {
  private readonly held = new Map<number, Held>();
  private known: Span[] = [];

  /** `step` is how long a window is, ms. */
  constructor(readonly step: number) {}

  /** Take an answer in: its windows, the stretch it speaks for, and when it was asked for. */
  merge(windows: AudienceWindow[], about: Span, askedAt: number): void {
    for (const window of windows) {
      const start = Date.parse(window.start);
      const before = this.held.get(start);
      if (!before || before.askedAt <= askedAt) this.held.set(start, { window, askedAt });
    }
    this.known = union(this.known, [widened(about, this.step)]);
  }

  /** What of a stretch no answer speaks for, in whole windows, oldest first. */
  missing(wanted: Span): Span[] {
    return minus([widened(wanted, this.step)], this.known);
  }

  /** Ask for a stretch again: late events may have come. Its windows stay until the answer does. */
  forget(span: Span): void {
    this.known = minus(this.known, [widened(span, this.step)]);
  }

  /** Let go of all but these stretches. */
  keep(spans: Spans): void {
    const kept = union(
      spans.map((span) => widened(span, this.step)),
      [],
    );
    for (const start of this.held.keys())
      if (!kept.some(({ from, to }) => from <= start && start < to)) this.held.delete(start);
    this.known = both(this.known, kept);
  }

  /** The windows that begin in a stretch, in order of time. */
  within({ from, to }: Span): AudienceWindow[] {
    return [...this.held.keys()]
      .filter((start) => from <= start && start < to)
      .sort((a, b) => a - b)
      .flatMap((start) => this.held.get(start)?.window ?? []);
  }

  /** How many windows are held. */
  get size(): number {
    return this.held.size;
  }
}
