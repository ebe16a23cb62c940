/** What `audience/now` says of a content. docs/metrics.md defines each figure. */
export interface Figures {
  content_id: string;
  /** RFC 3339; when the answer was made. */
  as_of: string;
  concurrent: number;
  concurrent_error: number;
  viewers: number;
  viewers_error: number;
  /** How far what is shown is behind what was received; null where the suite cannot tell. */
  delay_ms: number | null;
}

/** Why there is no figure: `detail` says what to do. */
export interface Trouble {
  reason: "attributes" | "key" | "no-such-content" | "unreachable";
  status: number | null;
  detail: string;
}

/** The newest figures, unless they are too old to be shown, and what is wrong, where anything is. */
export interface Told {
  figures: Figures | null;
  trouble: Trouble | null;
}

/** Figures this far behind what was received may lack viewers who are there: they are no news. */
const MOST_DELAY_MS = 15_000;

/** Figures out of a decoded answer. Throws TypeError where it is none. */
export function figuresOf(answer: unknown): Figures {
  const told = answer as Partial<Figures> | null;
  const { concurrent = -1, as_of = "" } = told ?? {};
  if (!Number.isSafeInteger(concurrent) || concurrent < 0 || Number.isNaN(Date.parse(as_of))) {
    throw new TypeError("The endpoint answers something other than an audience.");
  }
  return { delay_ms: null, ...told } as Figures;
}

/** Whether figures say more than those before: a cache may answer with older ones, or the same again. */
export function isNews(figures: Figures, before: Figures | null): boolean {
  const newer = !before || Date.parse(figures.as_of) > Date.parse(before.as_of);
  return newer && (figures.delay_ms ?? 0) <= MOST_DELAY_MS;
}
