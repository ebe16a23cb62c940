import { Announcer } from "./announcer.ts";
import type { Figures, Told, Trouble } from "./figures.ts";
import { makeParts, type Parts } from "./parts.ts";
import { poll, type Listener, type Poll } from "./poll.ts";
import { languageOf, Words } from "./words.ts";

/** An element, or on a server, where there are none, something that can be extended. */
const Base = typeof HTMLElement === "undefined" ? (Object as unknown as typeof HTMLElement) : HTMLElement;
const LEAST_EVERY_SECONDS = 2;
/** So that a count is asked for again before it is too old to be shown. */
const MOST_EVERY_SECONDS = 30;

/** `<grandstand-viewers content="…">`: how many people watch a content now. README.md says what it takes. */
export class GrandstandViewers extends Base implements Listener {
  static readonly observedAttributes = [
    "content",
    "endpoint",
    "key",
    "label",
    "lang",
    "compact",
    "every",
    "announce-every",
    "announce-change",
  ];

  awake = false;
  #poll: Poll | undefined;
  #sight: IntersectionObserver | undefined;
  #told: Told = { figures: null, trouble: null };
  #words: { asked: string; words: Words } | undefined;
  #parts: Parts | undefined;
  #announcer: Announcer | undefined;

  connectedCallback(): void {
    this.#parts ??= makeParts(this.attachShadow({ mode: "open" }));
    this.#announcer ??= new Announcer(this.#parts.announcer);
    // where nobody tells what is on screen, all is
    this.awake = typeof IntersectionObserver === "undefined";
    if (!this.awake) {
      this.#sight = new IntersectionObserver((entries) => {
        this.awake = entries.at(-1)?.isIntersecting ?? false;
        this.#poll?.review();
      });
      this.#sight.observe(this);
    }
    this.#listen();
  }

  disconnectedCallback(): void {
    this.#sight?.disconnect();
    this.awake = false;
    // one that is only moved within the page keeps its count
    queueMicrotask(() => {
      if (!this.isConnected) this.#hang();
    });
  }

  attributeChangedCallback(): void {
    if (this.#parts && this.isConnected) this.#listen();
  }

  get everyMs(): number {
    return Math.min(MOST_EVERY_SECONDS, Math.max(LEAST_EVERY_SECONDS, this.#number("every", 5))) * 1000;
  }

  take({ figures, trouble }: Told): void {
    const before = this.#told;
    this.#told = { figures, trouble };
    this.#show();
    if (figures && figures !== before.figures) this.#fire("grandstand-update", figures);
    if (trouble && trouble.reason !== before.trouble?.reason) this.#fire("grandstand-error", trouble);
  }

  /** Hear of what the attributes ask for. */
  #listen(): void {
    const address = this.#address();
    if (address && address === this.#poll?.address) {
      this.#show();
      this.#poll.review();
      return;
    }
    this.#hang();
    this.take({ figures: null, trouble: address ? null : MISUSED });
    if (address) this.#poll = poll(address, this);
    else console.error(`<grandstand-viewers>: ${MISUSED.detail}`);
  }

  #hang(): void {
    this.#poll?.remove(this);
    this.#poll = undefined;
  }

  #address(): string | undefined {
    const content = this.getAttribute("content");
    const endpoint = this.getAttribute("endpoint") ?? new URL(import.meta.url).origin;
    const key = this.getAttribute("key");
    try {
      const path = content && `/v1/contents/${encodeURIComponent(content)}/audience/now`;
      const address = new URL(endpoint.replace(/\/*$/, "") + (path ?? ""));
      if (key) address.searchParams.set("key", key);
      return path ? address.href : undefined;
    } catch {
      return undefined;
    }
  }

  #show(): void {
    const parts = this.#parts;
    if (!parts) return;
    const { figures, trouble } = this.#told;
    const words = this.#language();
    const state = figures
      ? "live"
      : !trouble
        ? "waiting"
        : trouble.reason === "unreachable"
          ? "unknown"
          : "absent";
    const shown = state === "live" || state === "unknown";
    parts.root.setAttribute("part", `root ${state}`);
    parts.root.lang = words.locale;
    parts.root.dir = words.direction;
    parts.figure.hidden = !shown;
    parts.placeholder.hidden = shown;
    parts.label.textContent = this.getAttribute("label");
    const phrase = figures
      ? words.viewers(figures.concurrent)
      : { before: words.unknown, count: "", after: "" };
    parts.count.textContent = phrase.count;
    parts.text.replaceChildren(phrase.before, parts.count, phrase.after);
    if (shown) this.#announce(parts, figures);
  }

  #announce({ label, text }: Parts, figures: Figures | null): void {
    const said = [label.textContent, text.textContent].filter(Boolean).join(": ");
    this.#announcer?.shown(said, figures?.concurrent ?? null, {
      everyMs: this.#number("announce-every", 60) * 1000,
      change: this.#number("announce-change", 5) / 100,
    });
  }

  #language(): Words {
    const compact = this.hasAttribute("compact");
    const asked = `${languageOf(this)} ${compact}`;
    if (this.#words?.asked !== asked) this.#words = { asked, words: new Words(languageOf(this), compact) };
    return this.#words.words;
  }

  #number(attribute: string, otherwise: number): number {
    const told = this.getAttribute(attribute);
    const number = told ? Number(told) : NaN;
    return number >= 0 ? number : otherwise;
  }

  #fire(name: string, detail: Figures | Trouble): void {
    this.dispatchEvent(new CustomEvent(name, { detail: { ...detail }, bubbles: true, composed: true }));
  }
}

const MISUSED: Trouble = {
  reason: "attributes",
  status: null,
  detail: "Say `content`, as its id, and `endpoint`, as the https:// address of a suite.",
};
