interface Rejected {
  index: number;
  reason: string;
}

/** What the suite says of a body; what is not as it should be is taken for unsaid. */
export interface Answer {
  detail: string | undefined;
  rejected: Rejected[];
  /** How often it wants to be told, in seconds. */
  every: number | undefined;
}

const MAX_EVERY_SECONDS = 3_600;
/** Timers cannot wait for more than 24 days, and then do not wait at all. */
const MAX_WAIT_MS = 86_400_000;

export const answerOf = async (response: Response): Promise<Answer> => {
  const told = ((await response.json().catch(() => null)) ?? {}) as Record<string, unknown>;
  const every = told.report_every_seconds as number;
  return {
    detail: told.detail as string | undefined,
    rejected: Array.isArray(told.rejected) ? (told.rejected as Rejected[]).filter(Boolean) : [],
    every: Number.isInteger(every) && every > 0 && every <= MAX_EVERY_SECONDS ? every : undefined,
  };
};

/** By the suite's clock, when it answered; NaN where it is not told. */
export const dateOf = ({ headers }: Response): number => Date.parse(headers.get("date") ?? "");

/** How many ms the suite asks to wait, 0 where it does not. */
export const waitOf = (response: Response): number => {
  const after = response.headers.get("retry-after") ?? "";
  const seconds = after ? Number(after) : NaN;
  const ms = Number.isNaN(seconds) ? Date.parse(after) - (dateOf(response) || Date.now()) : seconds * 1000;
  return ms > 0 ? Math.min(ms, MAX_WAIT_MS) : 0;
};
