/** Tells the page's developers; never its viewers. */
export const warn = (said: unknown): void => {
  console.warn("Grandstand:", said);
};

/** `act`, of which no fault becomes one of the host page. */
export const guarded =
  <Given extends unknown[]>(act: (...given: Given) => void) =>
  (...given: Given): void => {
    try {
      act(...given);
    } catch (error) {
      warn(error);
    }
  };

export interface Listeners {
  /** Listens to several event types, named in one text with spaces between. */
  on(target: EventTarget, types: string, act: (event: Event) => void, capture?: boolean): void;
  /** Leaves no listener behind. */
  off(): void;
}

/** Guarded listeners that end together. */
export const listeners = (): Listeners => {
  const ends: (() => void)[] = [];
  return {
    on(target, types, act, capture = false) {
      const listener = guarded(act);
      for (const type of types.split(" ")) {
        target.addEventListener(type, listener, capture);
        ends.push(() => {
          target.removeEventListener(type, listener, capture);
        });
      }
    },
    off() {
      for (const end of ends.splice(0)) end();
    },
  };
};
