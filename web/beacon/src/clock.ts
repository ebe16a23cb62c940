/** Durations are told by performance.now(), which no one sets; moments by it too, from one reading of the date. */
let epoch = Date.now() - performance.now();

/** Now, in whole ms since 1970. */
export const moment = (): number => Math.round(epoch + performance.now());

/** Makes up for a sleep, during which performance.now() stands still on some systems. Never goes back. */
export const awake = (): void => {
  epoch = Math.max(epoch, Date.now() - performance.now());
};
