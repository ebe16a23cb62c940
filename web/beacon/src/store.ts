import type { Told, View } from "./told.ts";

/** One request to ingest. Its text stays the same in every retry, so that the suite counts it once. */
export interface Body {
  id: string;
  url: string;
  text: string;
  /** When it was made, in ms since 1970 by this device's clock. */
  at: number;
  /** Whether it names no viewer by the viewer's own wish: then it is never written to the device. */
  anonymous: boolean;
  /** Whether it lies in the store, for whoever takes it first. */
  kept?: boolean;
  /** What it is made of, and by how much this clock was known to be off. */
  sealed?: { events: [View, Told][]; offset: number | undefined } | undefined;
  /** How often the suite failed over it. */
  faults?: number;
}

const PREFIX = "grandstand:";
const MAX_KEPT = 16;
/** The suite knows a retry again for 24 hours; what is older might count twice. */
const MAX_AGE_MS = 23 * 3_600_000;

const names = (): string[] => Object.keys(localStorage).filter((name) => name.startsWith(PREFIX));

/** Keeps a body for the next page of this origin; whether that could be done. */
export const keep = (body: Body): boolean => {
  if (body.kept) return true;
  try {
    if (body.anonymous || names().length >= MAX_KEPT) return false;
    localStorage.setItem(PREFIX + body.id, JSON.stringify([body.url, body.text, body.at]));
    return (body.kept = true);
  } catch {
    return false; // no storage here, or it is full
  }
};

/** Takes a kept body out of the store: who removes it sends it. False when another tab was first. */
export const claim = (body: Body): boolean => {
  if (!body.kept) return true;
  body.kept = false;
  try {
    const found = localStorage.getItem(PREFIX + body.id) !== null;
    localStorage.removeItem(PREFIX + body.id);
    return found;
  } catch {
    return true;
  }
};

/** A kept body out of its text; nothing where that is none of ours, or too old. */
const unpacked = (name: string, kept: string | null): Body | undefined => {
  try {
    const [url, text, at] = JSON.parse(kept ?? "[]") as [string?, string?, number?];
    // one of the future was made before the clock was set back: nobody knows how old it is
    if (!url || !text || !at || !(Math.abs(Date.now() - at) < MAX_AGE_MS)) return undefined;
    return { id: name.slice(PREFIX.length), url, text, at, anonymous: false };
  } catch {
    return undefined;
  }
};

/** Takes all that closed tabs have left, the oldest first. */
export const takeAll = (): Body[] => {
  const taken: Body[] = [];
  try {
    for (const name of names()) {
      const kept = localStorage.getItem(name);
      localStorage.removeItem(name);
      const body = unpacked(name, kept);
      if (body) taken.push(body);
    }
  } catch {
    // no storage here
  }
  return taken.sort((one, other) => one.at - other.at);
};
