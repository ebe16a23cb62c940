import type { ReactiveController, ReactiveControllerHost } from "lit";

import { contentPath, get } from "../../api/client.ts";
import { Poll } from "../../api/poll.ts";
import type { Audience, AudienceWindow, Content, Now, Overview } from "../../api/types.ts";
import { STEPS, told } from "./view.ts";

/** Whether a content is on: `quiet` is one of which nothing is heard now, and of which no end is known. */
export type Phase = "live" | "upcoming" | "ended" | "quiet";

const EVERY_MS = 30_000;
const LOOK_BACK_MS = 90 * 86_400_000;
/** Longer silence parts one broadcast from the next. */
const APART_MS = 6 * 3_600_000;

/**
 * What a content is called, and when it was or will be on.
 *
 * The overview tells most of it to everybody; what it leaves out is read once from the content's entry, and from the
 * hours in which anything was reported of it.
 */
export class Facts implements ReactiveController {
  private readonly listed: Poll<Overview>;
  private entry: Content | null = null;
  private heard: { from: number; to: number } | null = null;
  private contentId = "";
  private asked = { entry: false, heard: false };

  constructor(private readonly host: ReactiveControllerHost) {
    this.listed = new Poll<Overview>(host, EVERY_MS, () => {
      if (this.listing() === null) void this.readEntry();
    });
    host.addController(this);
  }

  /** Ask about this content. */
  about(contentId: string): void {
    this.contentId = contentId;
    // a search holds no more letters than this
    const query = new URLSearchParams({ q: contentId.slice(0, 200), limit: "200" });
    this.listed.ask(`/v1/overview?${query.toString()}`);
  }

  hostConnected(): void {
    // polls by itself; Lit wants one of the methods
  }

  /** Whether anybody said anything of it: then it exists, though nothing was reported. */
  get known(): boolean {
    return this.listing() !== null || this.entry !== null;
  }

  get title(): string | null {
    return this.listing()?.title ?? this.entry?.title ?? null;
  }

  /** When it began or will begin: as it was said, else when it was first heard of. */
  get start(): number | null {
    const listing = this.listing();
    const said = (listing && "starts_at" in listing ? listing.starts_at : null) ?? this.entry?.starts_at;
    return said ? Date.parse(said) : (this.heard?.from ?? null);
  }

  /** When the last of it was heard, or when it was said to end; null where neither is known. */
  get end(): number | null {
    const listing = this.listing();
    const said = listing && "ended_at" in listing ? listing.ended_at : null;
    if (said) return Date.parse(said);
    return this.heard?.to ?? (this.entry?.ends_at ? Date.parse(this.entry.ends_at) : null);
  }

  phase(now: Now | null, at: number): Phase {
    if (now && (now.concurrent > 0 || now.windows.length > 0)) return "live";
    if (this.start !== null && this.start > at) return "upcoming";
    return this.end !== null && this.end <= at ? "ended" : "quiet";
  }

  /** Find out when anything was heard of it, where nobody said it. Once. */
  async lookBack(now: number): Promise<void> {
    if (this.asked.heard) return;
    this.asked.heard = true;
    try {
      this.heard = await broadcast(this.contentId, now);
      this.host.requestUpdate();
    } catch {
      // it stays unknown: the view shows the last hour
    }
  }

  private listing() {
    const answer = this.listed.answer;
    const all = answer ? [...answer.live, ...answer.upcoming, ...answer.ended] : [];
    return all.find(({ content_id }) => content_id === this.contentId) ?? null;
  }

  private async readEntry(): Promise<void> {
    if (this.asked.entry) return;
    this.asked.entry = true;
    try {
      this.entry = await get<Content>(contentPath(this.contentId));
      this.host.requestUpdate();
    } catch {
      // it has no entry, or the key does not open it: it goes by its id
    }
  }
}

/** When the last broadcast was: from the first to the last minute in which anything was reported. */
async function broadcast(contentId: string, now: number): Promise<{ from: number; to: number } | null> {
  const read = async (from: number, to: number, resolution: "1h" | "1m"): Promise<AudienceWindow[]> => {
    const query = new URLSearchParams({ from: told(from), to: told(to), resolution, by: "none" });
    return (await get<Audience>(contentPath(contentId, `/audience?${query.toString()}`))).windows;
  };
  const hours = (await read(now - LOOK_BACK_MS, now, "1h")).map(({ start }) => Date.parse(start));
  const last = hours.at(-1);
  if (last === undefined) return null;
  const first = hours.findLast((hour, at) => hour - (hours[at - 1] ?? -Infinity) > APART_MS) ?? last;
  const minutes = async (hour: number) =>
    (await read(hour, hour + STEPS["1h"], "1m")).map(({ start }) => Date.parse(start));
  const [begin, end] = await Promise.all([minutes(first), minutes(last)]);
  return { from: begin[0] ?? first, to: (end.at(-1) ?? last) + STEPS["1m"] };
}
