import type { ReactiveController, ReactiveControllerHost } from "lit";

import { PASSING, type Failed, type PassingTrouble } from "./client.ts";

/** What is the matter with all that is live on the page; the worst of it comes first. */
export type Outage = PassingTrouble | "not_loaded" | "late";
const WORST_FIRST: readonly Outage[] = [...PASSING, "not_loaded", "late"];

/** Figures that are further behind than this are late. */
export const LATE_MS = 10_000;
/** Answers that were made at the same moment for so long come from something that has stopped. */
export const STANDING_MS = 15_000;

interface Fault {
  outage: Outage;
  since: number;
}

/**
 * How all polls of the page fare together, so that one banner can tell it. `change` is sent when that changes.
 *
 * Which answers are live, and how late they are, is read off themselves: they carry `as_of` and `delay_ms`.
 */
export class Connection extends EventTarget {
  /** Whether the last answer was that a key is needed. */
  locked = false;
  private readonly faults = new Map<object, Fault>();
  private readonly made = new Map<object, { asOf: string; since: number }>();

  /** The worst that any poll meets now, and since when. */
  get fault(): Fault | null {
    const all = [...this.faults.values()];
    const outage = WORST_FIRST.find((one) => all.some((fault) => fault.outage === one));
    if (outage === undefined) return null;
    return { outage, since: Math.min(...all.map((fault) => fault.since)) };
  }

  /** A poll was answered. */
  answered(poll: object, answer: unknown): void {
    this.locked = false;
    this.note(poll, this.isLate(poll, answer) ? "late" : null);
  }

  /** A poll was not answered. */
  failed(poll: object, failure: Failed): void {
    this.locked = failure.trouble === "sign-in";
    this.note(poll, PASSING.find((one) => one === failure.trouble) ?? null);
  }

  /** Part of the page cannot be drawn: the suite and the page are of different versions. */
  undrawn(part: object): void {
    this.note(part, "not_loaded");
  }

  /** A poll has ended or asks something else, a part is drawn again: what it met is of no interest any more. */
  left(poll: object): void {
    this.made.delete(poll);
    this.faults.delete(poll);
    this.dispatchEvent(new Event("change"));
  }

  private note(poll: object, outage: Outage | null): void {
    const since = this.faults.get(poll)?.since ?? Date.now();
    if (outage === null) this.faults.delete(poll);
    else this.faults.set(poll, { outage, since });
    this.dispatchEvent(new Event("change"));
  }

  private isLate(poll: object, answer: unknown): boolean {
    if (!isLive(answer)) return false;
    const before = this.made.get(poll);
    const made = before?.asOf === answer.as_of ? before : { asOf: answer.as_of, since: Date.now() };
    this.made.set(poll, made);
    return (answer.delay_ms ?? 0) > LATE_MS || Date.now() - made.since >= STANDING_MS;
  }
}

interface Live {
  as_of: string;
  delay_ms: number | null;
}

function isLive(answer: unknown): answer is Live {
  return typeof answer === "object" && answer !== null && "as_of" in answer && "delay_ms" in answer;
}

/** The page's one. */
export const connection = new Connection();

/** Draws its host again when the connection changes. */
export class Connected implements ReactiveController {
  private readonly draw = (): void => {
    this.host.requestUpdate();
  };

  constructor(private readonly host: ReactiveControllerHost) {
    host.addController(this);
  }

  hostConnected(): void {
    connection.addEventListener("change", this.draw);
  }

  hostDisconnected(): void {
    connection.removeEventListener("change", this.draw);
  }
}
