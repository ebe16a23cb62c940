import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { KEPT_MS } from "./poll.ts";
import "./widgets.ts";

const ENDPOINT = "https://audience.example";
const START = Date.parse("2026-11-20T18:00:00Z");

/** Sights by element, so that a test scrolls one into view or away. */
const sights = new Map<Element, (visible: boolean) => void>();

class Sight {
  constructor(private readonly seen: (entries: { isIntersecting: boolean }[]) => void) {}
  #element: Element | undefined;

  observe(element: Element): void {
    this.#element = element;
    sights.set(element, (isIntersecting) => {
      this.seen([{ isIntersecting }]);
    });
    this.seen([{ isIntersecting: true }]);
  }

  disconnect(): void {
    if (this.#element) sights.delete(this.#element);
  }
}

let asked: { url: string; init: RequestInit }[] = [];
let answer: () => Response | Promise<Response>;

function audience(concurrent: number, more: object = {}): Response {
  const figures = {
    content_id: "final",
    concurrent,
    concurrent_error: 0,
    viewers: concurrent,
    viewers_error: 0,
  };
  return Response.json({ ...figures, as_of: new Date().toISOString(), delay_ms: 0, ...more });
}

function place(attributes: Record<string, string> = {}, text = ""): HTMLElement {
  const element = document.createElement("grandstand-viewers");
  const all = { content: "final", endpoint: ENDPOINT, key: "public", lang: "en", ...attributes };
  for (const [name, value] of Object.entries(all)) element.setAttribute(name, value);
  element.append(text);
  document.body.append(element);
  return element;
}

function part(element: Element, name: string): HTMLElement {
  const found = element.shadowRoot?.querySelector<HTMLElement>(`[part~="${name}"]`);
  if (!found) throw new Error(`no part ${name}`);
  return found;
}

/** What somebody reads: the figure with its label, or the placeholder. */
function shown(element: Element): string {
  const figure = part(element, "figure");
  return figure.hidden
    ? element.textContent
    : `${part(element, "label").textContent}${part(element, "text").textContent}`;
}

function hears(element: Element, event: string): unknown[] {
  const heard: unknown[] = [];
  element.addEventListener(event, (told) => heard.push((told as CustomEvent).detail));
  return heard;
}

async function pass(seconds: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(seconds * 1000);
}

function look(state: DocumentVisibilityState): void {
  vi.spyOn(document, "visibilityState", "get").mockReturnValue(state);
  document.dispatchEvent(new Event("visibilitychange"));
}

beforeEach(() => {
  vi.useFakeTimers({ now: START });
  vi.spyOn(Math, "random").mockReturnValue(0.5); // of the first pause, which would else end at any moment
  vi.stubGlobal("IntersectionObserver", Sight);
  vi.stubGlobal("fetch", (url: string, init: RequestInit) => {
    asked.push({ url, init });
    return Promise.resolve().then(answer);
  });
  vi.spyOn(console, "error").mockReturnValue();
  asked = [];
  answer = () => audience(1_234);
});

afterEach(() => {
  document.body.replaceChildren();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe("asking", () => {
  test("goes to one address that a cache can keep, without cookies", async () => {
    place({ content: "cup/final ü", endpoint: `${ENDPOINT}/suite/` });
    await pass(0.1);
    expect(asked[0]?.url).toBe(`${ENDPOINT}/suite/v1/contents/cup%2Ffinal%20%C3%BC/audience/now?key=public`);
    expect(asked[0]?.init).toMatchObject({ credentials: "omit", referrerPolicy: "no-referrer" });
    expect(asked[0]?.init.headers).toBeUndefined();
  });

  test("needs no key where none is asked for", async () => {
    place().removeAttribute("key");
    await pass(0.1);
    expect(asked.map(({ url }) => url)).toEqual([`${ENDPOINT}/v1/contents/final/audience/now`]);
  });

  test("happens every five seconds, after a first pause of random length", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0.4);
    place();
    await pass(0.1);
    expect(asked).toHaveLength(1);
    await pass(2);
    expect(asked).toHaveLength(2);
    await pass(20);
    expect(asked).toHaveLength(6);
  });

  test("is shared by elements of one content, at the pace of the quickest", async () => {
    const elements = [place({ every: "60" }), place(), place({ every: "30", compact: "" })];
    await pass(60.1);
    expect(asked.length).toBeLessThanOrEqual(14);
    expect(asked.length).toBeGreaterThanOrEqual(12);
    expect(elements.map(shown)).toEqual(["1,234 viewers", "1,234 viewers", "1.2K viewers"]);
  });

  test("is no quicker than every two seconds, whatever is asked for", async () => {
    place({ every: "0" });
    await pass(60);
    expect(asked.length).toBeLessThanOrEqual(32);
  });

  test("rests while the page is hidden and goes on when it is looked at", async () => {
    place();
    await pass(0.1);
    look("hidden");
    await pass(600);
    expect(asked).toHaveLength(1);
    look("visible");
    await pass(0.1);
    expect(asked).toHaveLength(2);
  });

  test("rests while no element is on screen", async () => {
    const elements = [place(), place()];
    await pass(0.1);
    for (const element of elements) sights.get(element)?.(false);
    await pass(600);
    expect(asked).toHaveLength(1);
    sights.get(elements[0] as Element)?.(true);
    await pass(0.1);
    expect(asked).toHaveLength(2);
  });

  test("does not begin anew when an element is scrolled away and back", async () => {
    const element = place();
    await pass(0.1);
    for (let turn = 0; turn < 20; turn += 1) {
      sights.get(element)?.(false);
      sights.get(element)?.(true);
    }
    await pass(0);
    expect(asked).toHaveLength(1);
  });

  test("ends when the last element leaves the page", async () => {
    const element = place();
    await pass(0.1);
    element.remove();
    look("visible");
    await pass(600);
    expect(asked).toHaveLength(1);
  });

  test("turns to another content when the attribute changes, and shows nothing of the one before", async () => {
    const element = place({}, "Live");
    await pass(0.1);
    answer = () => new Promise(() => undefined);
    element.setAttribute("content", "semi-final");
    expect(shown(element)).toBe("Live");
    await pass(0.1);
    expect(asked.at(-1)?.url).toContain("/semi-final/");
  });
});

describe("the count", () => {
  test("is shown with its words, and told to the page", async () => {
    const element = place({ label: "Cup final" });
    const updates = hears(document.body, "grandstand-update");
    await pass(0.1);
    expect(shown(element)).toBe("Cup final1,234 viewers");
    expect(updates).toMatchObject([{ content_id: "final", concurrent: 1_234, concurrent_error: 0 }]);
  });

  test("stays for a while when no newer one comes, is then said not to be known, and heals", async () => {
    const element = place();
    const [updates, errors] = [hears(element, "grandstand-update"), hears(element, "grandstand-error")];
    await pass(0.1);
    answer = () => Promise.reject(new TypeError("Failed to fetch"));
    await pass(KEPT_MS / 1000 - 10);
    expect(shown(element)).toBe("1,234 viewers");
    await pass(20);
    expect(shown(element)).toBe("Number of viewers not known right now");
    expect(errors).toMatchObject([{ reason: "unreachable", status: null }]);
    answer = () => audience(7);
    dispatchEvent(new Event("online"));
    await pass(6);
    expect(shown(element)).toBe("7 viewers");
    expect(updates.length).toBeGreaterThanOrEqual(2);
  });

  test("of an answer that does not get newer is not known after a while", async () => {
    const element = place();
    answer = () => audience(99, { as_of: "2026-11-20T17:59:59Z" });
    await pass(KEPT_MS / 1000 - 1);
    expect(shown(element)).toBe("99 viewers");
    await pass(3);
    expect(shown(element)).toBe("Number of viewers not known right now");
  });

  test("of an older answer does not replace a newer one", async () => {
    const element = place();
    await pass(0.1);
    answer = () => audience(3, { as_of: "2026-11-20T17:59:00Z" });
    await pass(10);
    expect(shown(element)).toBe("1,234 viewers");
  });

  test("is no zero because the suite has fallen behind", async () => {
    const element = place();
    await pass(0.1);
    answer = () => audience(0, { delay_ms: 20_000 });
    await pass(10);
    expect(shown(element)).toBe("1,234 viewers");
    answer = () => audience(0, { delay_ms: 400 });
    await pass(6);
    expect(shown(element)).toBe("0 viewers");
  });

  test.each([
    ["no JSON", () => new Response("<html>")],
    ["another JSON", () => Response.json({ concurrent: "12", as_of: "now" })],
    ["null", () => Response.json(null)],
    ["an error", () => new Response("", { status: 500 })],
  ])("is not known when the answer is %s", async (_, broken) => {
    answer = broken;
    const element = place();
    await pass(0.1);
    expect(shown(element)).toBe("Number of viewers not known right now");
  });

  test("after sleep is not shown as if it were of now", async () => {
    const element = place();
    await pass(0.1);
    look("hidden");
    vi.setSystemTime(START + 3_600_000);
    answer = () => new Promise(() => undefined);
    look("visible");
    await pass(0.1);
    expect(shown(element)).toBe("Number of viewers not known right now");
  });
});

describe("failures", () => {
  test("back off, as a failing suite should not be asked more", async () => {
    answer = () => new Response("", { status: 503 });
    place();
    await pass(600);
    expect(asked.length).toBeLessThan(25);
    expect(asked.length).toBeGreaterThan(8);
  });

  test("wait for as long as the answer asks", async () => {
    answer = () => new Response("", { status: 429, headers: { "retry-after": "300" } });
    place();
    await pass(300);
    expect(asked).toHaveLength(1);
  });

  test("of a content that is unknown or not listed show the placeholder and say so once", async () => {
    answer = () => new Response("{}", { status: 404 });
    const element = place({}, "Live");
    const errors = hears(element, "grandstand-error");
    await pass(300);
    expect(shown(element)).toBe("Live");
    expect(errors).toEqual([
      { reason: "no-such-content", status: 404, detail: expect.any(String) as string },
    ]);
    expect(asked.length).toBeLessThan(11);
  });

  test.each([401, 403])("of a key that is no publish key (%i) are told in the console", async (status) => {
    answer = () => new Response("{}", { status });
    const element = place({}, "Live");
    const errors = hears(element, "grandstand-error");
    await pass(300);
    expect(shown(element)).toBe("Live");
    expect(errors).toMatchObject([{ reason: "key", status }]);
    expect(console.error).toHaveBeenCalledTimes(1);
  });

  test.each([{ content: "" }, { endpoint: "no address" }, { content: "\ud800" }])(
    "of %j ask nobody",
    async (wrong) => {
      const errors = hears(document.body, "grandstand-error");
      const element = place(wrong, "Live");
      await pass(60);
      expect(asked).toHaveLength(0);
      expect(shown(element)).toBe("Live");
      expect(errors).toMatchObject([{ reason: "attributes" }]);
      expect(console.error).toHaveBeenCalledTimes(1);
    },
  );
});

describe("a screen reader", () => {
  function announced(element: Element): string[] {
    const region = part(element, "announcer");
    const heard: string[] = [];
    new MutationObserver(() => region.textContent && heard.push(region.textContent)).observe(region, {
      childList: true,
    });
    return heard;
  }

  test("is told of a change once a minute at most", async () => {
    let count = 1_000;
    answer = () => audience((count += 500));
    const heard = announced(place({ label: "Cup final" }));
    await pass(200);
    expect(heard).toHaveLength(3);
    expect(heard[0]).toMatch(/^Cup final: [\d,]+ viewers$/);
  });

  test("is not told of a small change, whenever it comes", async () => {
    let turn = 0;
    answer = () => audience(1_000 + 40 * (turn++ % 2));
    const heard = announced(place());
    await pass(300);
    expect(heard).toEqual([]);
  });

  test("is told as often, and of as small a change, as the page asks for", async () => {
    let count = 1_000;
    answer = () => audience((count += 1));
    const chatty = announced(place({ "announce-every": "20", "announce-change": "0" }));
    const silent = announced(place({ "announce-every": "0", "announce-change": "0" }));
    await pass(85);
    expect(chatty.length).toBeGreaterThanOrEqual(3);
    expect(silent).toEqual([]);
  });

  test("meets the count as text, in a polite region that is not the text itself", async () => {
    const element = place();
    await pass(0.1);
    expect(part(element, "announcer").getAttribute("role")).toBe("status");
    expect(part(element, "announcer").textContent).toBe("");
    expect(part(element, "text").textContent).toBe("1,234 viewers");
    expect(part(element, "dot").ariaHidden).toBe("true");
  });
});

test("markup in a label is text", async () => {
  const element = place({ label: "<img src=x onerror=alert(1)>" });
  await pass(0.1);
  expect(part(element, "label").childElementCount).toBe(0);
  expect(shown(element)).toContain("<img src=x onerror=alert(1)>");
});

test("a change of language is taken up", async () => {
  const element = place();
  await pass(0.1);
  element.setAttribute("lang", "ar");
  expect(part(element, "root").dir).toBe("rtl");
  expect(shown(element)).toContain("مشاهد");
});
