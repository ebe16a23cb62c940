const CHECK_MS = 1_000;
/** A clock that jumps by more than this has slept: timers do not run in sleep, and are not made up for. */
const SLEPT_MS = 5_000;

const listeners = new Set<() => void>();
let clock: ReturnType<typeof setInterval> | undefined;
let lastTick = 0;

/**
 * Call when what is on the page may have grown old or its way may have changed: the page is looked at again, the
 * device woke up, came online or lost its network. Gives what ends it.
 */
export function onWake(listener: () => void): () => void {
  if (listeners.size === 0) begin();
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) end();
  };
}

function begin(): void {
  document.addEventListener("visibilitychange", wake);
  window.addEventListener("pageshow", shown);
  window.addEventListener("online", wake);
  window.addEventListener("offline", wake);
  lastTick = Date.now();
  clock = setInterval(tick, CHECK_MS);
}

function end(): void {
  document.removeEventListener("visibilitychange", wake);
  window.removeEventListener("pageshow", shown);
  window.removeEventListener("online", wake);
  window.removeEventListener("offline", wake);
  clearInterval(clock);
}

/** A hidden page sleeps on: it is asked again when somebody looks at it. */
function wake(): void {
  if (!document.hidden) for (const listener of [...listeners]) listener();
}

/** Back from the browser's page cache, where nothing ran; the first `pageshow` of a page is no such thing. */
function shown(event: PageTransitionEvent): void {
  if (event.persisted) wake();
}

function tick(): void {
  const now = Date.now();
  if (now - lastTick > SLEPT_MS) wake();
  lastTick = now;
}
