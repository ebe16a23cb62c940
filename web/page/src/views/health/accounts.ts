import type { Completeness } from "../../api/types.ts";

/** A class that received events fall into; `reason` where it is one of the rejected. */
export interface Account {
  name: "counted" | "duplicate" | "late" | "rejected" | "sampled_out";
  reason: string | null;
  events: number;
}

/** Every class, the rejected by reason with the most frequent first; they stand there even when none was rejected. */
export function accounts({ counted, duplicate, late, rejected, sampled_out }: Completeness): Account[] {
  const reasons = Object.entries(rejected).sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const account = (name: Account["name"], events: number, reason: string | null = null): Account => ({
    name,
    reason,
    events,
  });
  return [
    account("counted", counted),
    account("duplicate", duplicate),
    account("late", late),
    ...(reasons.length > 0
      ? reasons.map(([reason, events]) => account("rejected", events, reason))
      : [account("rejected", 0)]),
    account("sampled_out", sampled_out),
  ];
}

/** Received events that are in no class (above 0), or in more than one (below). */
export const unaccounted = (told: Completeness): number =>
  told.received - accounts(told).reduce((sum, { events }) => sum + events, 0);
