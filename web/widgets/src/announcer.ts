/** When a change is worth interrupting somebody for. */
export interface Calm {
  /** At most one announcement in so many ms; 0 for none at all. */
  everyMs: number;
  /** Only of a count that has changed by more than this share of the one said last. */
  change: number;
}

const READ_MS = 10_000;

/** Tells a screen reader of changes through a live region, rarely. What is on screen first is not announced. */
export class Announcer {
  #said: { count: number | null; at: number } | undefined;

  constructor(readonly region: HTMLElement) {
    region.setAttribute("role", "status");
  }

  /** A text that is now shown, with its count; null where the count is not known. */
  shown(text: string, count: number | null, calm: Calm): void {
    const at = Date.now();
    if (!this.#said) this.#said = { count, at };
    if (!calm.everyMs || at - this.#said.at < calm.everyMs) return;
    if (!differs(count, this.#said.count, calm.change)) return;
    this.#said = { count, at };
    this.region.textContent = text;
    setTimeout(() => {
      this.region.textContent = ""; // who reads the page line by line meets the count once
    }, READ_MS);
  }
}

function differs(count: number | null, before: number | null, change: number): boolean {
  if (count === null || before === null) return count !== before;
  return Math.abs(count - before) > change * before;
}
