import type { ReactiveController, ReactiveControllerHost } from "lit";

import { Failed, get } from "./client.ts";
import { connection } from "./connection.ts";
import { onWake } from "./wake.ts";

/** What a poll asks of the world; tests give it another. */
export interface World {
  fetch: <Answer>(path: string, signal: AbortSignal) => Promise<Answer>;
  random: () => number;
  hidden: () => boolean;
}

const BROWSER: World = { fetch: get, random: Math.random, hidden: () => document.hidden };

/** How many times rarer a page asks that nobody looks at. */
const HIDDEN_FACTOR = 15;
const LONGEST_BACKOFF_MS = 30_000;
/** What is not there may come at any moment, as a match that is about to begin. */
const LONGEST_WAIT_MS = 5_000;

/**
 * Asks one address again and again while its host is on the page.
 *
 * Each tab has a phase of its own, so that a thousand of them spread over the interval and a cache answers nearly
 * all. A hidden page asks rarely and again at once when it is looked at; failures back off with full jitter
 * (M. Brooker, "Exponential Backoff and Jitter", 2015) and keep the last answer. After sleep it asks at once.
 */
export class Poll<Answer> implements ReactiveController {
  answer: Answer | null = null;
  failed: Failed | null = null;
  /** When the last answer came, ms since the epoch; 0 before the first. */
  answeredAt = 0;

  private address: string | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private asking: AbortController | null = null;
  private failures = 0;
  private endWaking: (() => void) | null = null;

  constructor(
    private readonly host: ReactiveControllerHost,
    private readonly everyMs: number,
    private readonly onAnswer: (answer: Answer) => void = () => undefined,
    private readonly world: World = BROWSER,
  ) {
    host.addController(this);
  }

  /** Ask this address from now on, at once; null stops. The same address again changes nothing. */
  ask(address: string | null): void {
    if (address === this.address) return;
    this.address = address;
    this.answer = null;
    this.failed = null;
    this.answeredAt = 0;
    connection.left(this);
    if (this.endWaking) this.again();
  }

  /** Ask now rather than when it is due. */
  again(): void {
    this.failures = 0;
    this.stop();
    if (this.address !== null) void this.turn(this.address);
  }

  hostConnected(): void {
    this.endWaking = onWake(() => {
      this.again();
    });
    this.again();
  }

  hostDisconnected(): void {
    this.endWaking?.();
    this.endWaking = null;
    this.stop();
    connection.left(this);
  }

  private stop(): void {
    clearTimeout(this.timer);
    this.asking?.abort();
    this.asking = null;
  }

  private async turn(address: string): Promise<void> {
    const asking = new AbortController();
    this.asking = asking;
    try {
      const answer = await this.world.fetch<Answer>(address, asking.signal);
      if (asking.signal.aborted) return;
      this.answer = answer;
      this.answeredAt = Date.now();
      this.failed = null;
      this.failures = 0;
      connection.answered(this, answer);
      this.onAnswer(answer);
    } catch (error) {
      if (asking.signal.aborted) return;
      this.failed = error instanceof Failed ? error : new Failed("refused", String(error));
      this.failures += 1;
      connection.failed(this, this.failed);
    }
    this.host.requestUpdate();
    this.timer = setTimeout(() => void this.turn(address), this.pause());
  }

  private pause(): number {
    const { random, hidden } = this.world;
    if (this.failures > 0) {
      const longest = this.failed?.trouble === "missing" && !hidden() ? LONGEST_WAIT_MS : LONGEST_BACKOFF_MS;
      const most = Math.min(longest, this.everyMs * 2 ** this.failures);
      return (this.failed?.retryAfterMs ?? 250) + random() * most;
    }
    // ± 20 %: tabs that were opened together, or woken by one event, drift apart
    return this.everyMs * (hidden() ? HIDDEN_FACTOR : 1) * (0.8 + 0.4 * random());
  }
}
