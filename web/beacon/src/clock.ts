/** Durations are told by performance.now(), which no one sets; moments by it too, from one reading of the date. */
let epoch = Date.now() - performance.now();
/** How far this device's clock is ahead of the suite's. */
let offset = 0;

const OFF_MS = 30_000;

/** Now, in whole ms since 1970, by this device's clock. */
export const moment = (): number => Math.round(epoch + performance.now());

/** Makes up for a sleep, during which performance.now() stands still on some systems. Never goes back. */
export const awake = (): void => {
  epoch = Math.max(epoch, Date.now() - performance.now());
};

/** How many ms to take off this device's moments, where it is known to be off by more than half a minute. */
export const clockOffset = (): number | undefined => offset || undefined;

/** Hears the suite's time. One that cannot be read is no news; nor is a small difference, which the way here makes. */
export const compare = (theirs: number): void => {
  if (!(Math.abs(moment() - offset - theirs) > OFF_MS)) return;
  epoch = Date.now() - performance.now();
  offset = moment() - theirs;
};
