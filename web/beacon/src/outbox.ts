import { answerOf, dateOf, waitOf } from "./answer.ts";
import { clockOffset, compare } from "./clock.ts";
import { guarded, warn } from "./guard.ts";
import { addressOf, doNotTrack, nameOf, randomId, type Consent, type Options } from "./options.ts";
import { claim, keep, takeAll, type Body } from "./store.ts";
import type { Told, View } from "./told.ts";

export interface Outbox {
  add(view: View, told: Told): void;
  /** Posts what there is, unless it has to wait. `last`: nothing more will come. */
  flush(last?: boolean): void;
  /** Tries again at once. */
  retry(): void;
  /** The page goes away: hands over what there is, and keeps what might not arrive. */
  depart(): void;
  /** Goes on with what was kept, by this page or by those closed before. */
  resume(): void;
  consent(value: Consent | undefined): void;
  /** How often the suite wants to be told, in seconds. */
  every(): number;
}

const DEFAULT_INTERVAL = 10;
const MAX_PENDING = 300;
/** Of one body; browsers let 64 KB be under way while a page closes. */
const MAX_BYTES = 60_000;
const TIMEOUT_MS = 30_000;
const MAX_BACKOFF_MS = 60_000;
/** A body over which the suite fails more often, for minutes, must not hold up all others. */
const MAX_FAULTS = 10;
/** What may go when too much waits, the first kinds first. Lifecycle and errors never do. */
const EXPENDABLE = ["heartbeat", "quality_change", "seek"];

/** Leaves a body to the browser, which sends it when the page is gone; whether it takes it. */
const handOver = (body: Body): boolean => {
  try {
    return navigator.sendBeacon(body.url, body.text);
  } catch {
    return false;
  }
};

const bytesOf = (text: string): number => new TextEncoder().encode(text).length;

/**
 * Events on their way to the suite: each waits until it is sealed into a body, each body until it is acknowledged.
 * `onInterval` hears that the suite wants to be told at another interval.
 */
export const outbox = (options: Options, onInterval: () => void): Outbox => {
  const url = addressOf(options);
  let consent = options.consent;
  let told: number | undefined;
  let pending: [View, Told][] = [];
  let dropped = 0;
  let bodies: Body[] = [];
  let busy = false;
  let again = false;
  let failures = 0;
  let waiting = false;
  let notBefore = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const isAnonymous = (): boolean => !!options.child || consent === "none" || doNotTrack();

  const seal = (): void => {
    while (pending.length > 0) {
      const id = randomId();
      const anonymous = isAnonymous();
      const offset = clockOffset();
      const said = {
        batch_id: id,
        clock_offset_ms: offset,
        consent: doNotTrack() ? "none" : consent,
        child: !!options.child || undefined,
      };
      const head = JSON.stringify(said).slice(0, -1) + ',"events":[';
      const parts: string[] = [];
      let size = head.length + 2;
      for (const [view, event] of pending) {
        const part = JSON.stringify({
          ...options.attributes,
          event_id: `${id}-${parts.length}`,
          viewer_id: anonymous ? undefined : nameOf(options.viewer),
          content_id: view.content,
          session_id: anonymous ? view.alias : view.session,
          content_type: options.contentType,
          consent: undefined,
          child: undefined,
          ...event,
          report_every_seconds: told,
        });
        size += bytesOf(part) + 1;
        if (size > MAX_BYTES && parts.length > 0) break;
        parts.push(part);
      }
      if (dropped) warn(`${dropped} events were left out while the suite could not be reached`);
      dropped = 0;
      const sealed = { events: pending.slice(0, parts.length), offset };
      pending = pending.slice(parts.length);
      // the fraction keeps the order of bodies that are made at once
      const at = Date.now() + bodies.length / 100;
      bodies.push({ id, url, text: head + parts.join() + "]}", at, anonymous, sealed });
    }
  };

  /** Leaves out one event; its watched time goes to the next one of its view. */
  const shed = (): void => {
    for (const type of EXPENDABLE) {
      const index = pending.findIndex(([, event]) => event.event_type === type);
      const gone = pending[index];
      if (!gone || index === pending.length - 1) continue;
      const [view, { watched_ms = 0 }] = gone;
      const heir = pending.slice(index + 1).find(([other]) => other === view)?.[1];
      if (watched_ms && !heir) continue;
      if (heir && watched_ms) heir.watched_ms = (heir.watched_ms ?? 0) + watched_ms;
      pending.splice(index, 1);
      dropped++;
      return;
    }
  };

  const wait = (ms: number): void => {
    notBefore = performance.now() + ms;
    clearTimeout(timer);
    timer = setTimeout(
      guarded(() => {
        notBefore = 0; // timers may be early by a fraction
        flush();
      }),
      ms,
    );
    for (const body of bodies) keep(body);
  };

  /**
   * Takes back what a body had rejected that was made before this clock was known to be off; whether it did. Only of
   * a first attempt, of which it is certain that the suite has not counted it before.
   */
  const takeBack = ({ sealed }: Body, rejected: { index: number }[]): boolean => {
    if (failures > 0 || !sealed || rejected.length === 0 || sealed.offset === clockOffset()) return false;
    pending.unshift(...rejected.flatMap(({ index }) => sealed.events.slice(index, index + 1)));
    return (again = true);
  };

  /** Takes note of the answer to a body. Undefined when it is done with, else how many ms the suite asks to wait. */
  const answered = async (body: Body, response: Response): Promise<number | undefined> => {
    const { status } = response;
    if (status === 500) body.faults = (body.faults ?? 0) + 1;
    compare(dateOf(response));
    if (status === 408 || status === 429 || (status >= 500 && (body.faults ?? 0) <= MAX_FAULTS))
      return waitOf(response);
    const { detail, rejected, every } = await answerOf(response);
    if (!response.ok) warn(`${status}: ${detail ?? response.statusText}`);
    if (!takeBack(body, rejected))
      for (const reason of new Set(rejected.map((each) => each.reason))) warn(reason);
    if (every && every !== told) {
      told = every;
      onInterval();
    }
    return undefined;
  };

  const post = async (body: Body): Promise<void> => {
    const limit = new AbortController();
    const over = setTimeout(() => {
      limit.abort();
    }, TIMEOUT_MS);
    let asked: number | undefined = 0;
    try {
      asked = await answered(
        body,
        await fetch(body.url, {
          method: "POST",
          body: body.text,
          headers: { "content-type": "text/plain;charset=UTF-8" },
          credentials: "omit",
          keepalive: !failures,
          signal: limit.signal,
        }),
      );
    } catch {
      // no network, or nobody there
    }
    clearTimeout(over);
    busy = false;
    waiting = !!asked;
    if (asked === undefined) {
      const more = again || failures > 0;
      failures = 0;
      claim(body);
      bodies = bodies.filter((each) => each !== body);
      if (bodies.length > 0 || more) flush();
    } else {
      failures++;
      const backoff = Math.min(MAX_BACKOFF_MS, 2 ** failures * 500) * (0.5 + Math.random() / 2);
      // not all at once, and never sooner than asked
      wait(asked ? asked * (1 + Math.random() / 2) + Math.random() * 1000 : backoff);
    }
  };

  const flush = (last = false): void => {
    // while one body is in trouble the others are not made yet, so that a change of consent still holds for them
    const early = performance.now() < notBefore;
    if (last || !(busy || early || bodies.length > 0)) seal();
    again = busy;
    // after the last one nobody may be there to keep what has to queue
    if (early || last) for (const body of bodies) if (!(busy && body === bodies[0])) keep(body);
    if (busy || early) return;
    clearTimeout(timer);
    while (bodies[0] && !claim(bodies[0])) bodies.shift();
    if (!bodies[0]) return;
    busy = true;
    post(bodies[0]).catch(warn);
  };

  const retry = (): void => {
    if (!waiting) notBefore = 0;
    flush();
  };

  const resume = (): void => {
    if (!isAnonymous()) bodies.push(...takeAll());
    if (bodies.length > 0) flush();
  };

  return {
    add(view, event) {
      pending.push([view, event]);
      if (pending.length > MAX_PENDING) shed();
    },
    flush,
    retry,
    resume,
    depart() {
      seal();
      const [first] = bodies;
      for (const body of bodies) {
        if (busy && body === first) {
          keep(body); // it is on its way, and nobody will hear whether it arrived
        } else if (!(waiting && keep(body))) {
          if (!handOver(body) || failures) keep(body);
        }
      }
      bodies = busy && first ? [first] : [];
    },
    consent(value) {
      if (value !== "none") seal();
      for (const body of bodies) body.sealed = undefined;
      consent = value;
      if (isAnonymous()) {
        takeAll();
        bodies = bodies.filter((body) => body.anonymous);
      } else resume();
    },
    every: () => told ?? DEFAULT_INTERVAL,
  };
};
