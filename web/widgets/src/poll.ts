import { figuresOf, isNews, type Figures, type Told, type Trouble } from "./figures.ts";

/** One who wants to know, and whether anybody can see it now. */
export interface Listener {
  readonly awake: boolean;
  readonly everyMs: number;
  take(told: Told): void;
}

/** How long the last figures stand when no newer ones come. */
export const KEPT_MS = 60_000;
const TIMEOUT_MS = 10_000;
const LONGEST_PAUSE_MS = 60_000;
/** Timers cannot wait for weeks, and then do not wait at all. */
const MOST_ASKED_MS = 3_600_000;

const polls = new Map<string, Poll>();

/** Hear of an address until the returned poll is told to `remove` the listener; who asks for the same one shares it. */
export function poll(address: string, listener: Listener): Poll {
  const shared = polls.get(address) ?? new Poll(address);
  polls.set(address, shared);
  shared.add(listener);
  return shared;
}

/** Asks one address again and again while somebody looks. */
export class Poll {
  readonly #listeners = new Set<Listener>();
  readonly #told: Told = { figures: null, trouble: null };
  #newest: Figures | null = null;
  #newestAt = 0;
  #dueAt = 0; // by performance.now(), which nobody sets
  #failures = 0;
  #inPhase = false;
  #asking = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #lapse: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly address: string) {}

  add(listener: Listener): void {
    if (!this.#listeners.size) {
      document.addEventListener("visibilitychange", this.review);
      addEventListener("online", this.#online);
    }
    this.#listeners.add(listener);
    if (this.#told.figures || this.#told.trouble) listener.take(this.#told);
    this.review();
  }

  remove(listener: Listener): void {
    this.#listeners.delete(listener);
    this.review();
    if (this.#listeners.size) return;
    document.removeEventListener("visibilitychange", this.review);
    removeEventListener("online", this.#online);
    polls.delete(this.address);
  }

  /** Go on, or rest, as who listens and who can see has changed. */
  readonly review = (): void => {
    clearTimeout(this.#timer);
    clearTimeout(this.#lapse);
    if (document.visibilityState === "hidden" || ![...this.#listeners].some((one) => one.awake)) return;
    if (this.#told.figures) this.#lapse = setTimeout(this.#forget, this.#newestAt + KEPT_MS - Date.now());
    if (this.#asking) return;
    this.#timer = setTimeout(() => void this.#ask(), this.#dueAt - performance.now());
  };

  /** Everybody's network may be back at this moment: not all at once. */
  readonly #online = (): void => {
    this.#failures = 0;
    this.#dueAt = performance.now() + Math.random() * this.#everyMs();
    this.review();
  };

  readonly #forget = (): void => {
    const silent: Trouble = { reason: "unreachable", status: null, detail: "No newer figures come." };
    this.#tell(null, this.#told.trouble ?? silent);
  };

  #everyMs(): number {
    return Math.min(...[...this.#listeners].map((one) => one.everyMs));
  }

  async #ask(): Promise<void> {
    this.#asking = true;
    let pause = 0;
    try {
      const answer = await fetch(this.address, {
        credentials: "omit",
        referrerPolicy: "no-referrer",
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      if (answer.ok) this.#take(figuresOf(await answer.json()));
      else pause = this.#refused(answer);
    } catch (error) {
      pause = this.#failed({ reason: "unreachable", status: null, detail: String(error) });
    }
    this.#asking = false;
    this.#dueAt = performance.now() + (pause || this.#nextPhase());
    this.review();
  }

  #take(figures: Figures): void {
    this.#failures = 0;
    if (!isNews(figures, this.#newest)) return;
    this.#newest = figures;
    this.#newestAt = Date.now();
    this.#tell(figures, null);
  }

  /** What an answer other than 200 means, and how long to wait after it, in ms. */
  #refused(answer: Response): number {
    const status = answer.status;
    if (status === 404) {
      this.#tell(null, {
        reason: "no-such-content",
        status,
        detail: "No such content is listed, or not yet.",
      });
      return LONGEST_PAUSE_MS * spread();
    }
    if (status === 401 || status === 403) {
      const detail = "The endpoint does not take this key. Set `key` to one of its publish keys.";
      if (this.#told.trouble?.reason !== "key") console.error(`<grandstand-viewers>: ${detail}`);
      this.#tell(null, { reason: "key", status, detail });
      return LONGEST_PAUSE_MS;
    }
    const asked = Number(answer.headers.get("retry-after")) * 1000 || 0;
    const pause = this.#failed({ reason: "unreachable", status, detail: `The endpoint answers ${status}.` });
    return Math.max(pause, Math.min(asked, MOST_ASKED_MS) * (1 + spread()));
  }

  #failed(trouble: Trouble): number {
    this.#tell(this.#told.figures, trouble);
    return Math.min(this.#everyMs() * 2 ** ++this.#failures, LONGEST_PAUSE_MS) * spread();
  }

  /** The regular pause; the first is cut at random, so that pages opened at one moment do not keep step. */
  #nextPhase(): number {
    const part = this.#inPhase ? 1 : Math.random();
    this.#inPhase = true;
    return this.#everyMs() * part;
  }

  #tell(figures: Figures | null, trouble: Trouble | null): void {
    Object.assign(this.#told, { figures, trouble });
    for (const listener of this.#listeners) listener.take(this.#told);
  }
}

/** From a half to one, at random. */
function spread(): number {
  return 0.5 + Math.random() / 2;
}
