import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import "./widgets.ts";

let asked: string[] = [];
let answer: () => Response;

const figures = (more: object = {}): Response =>
  Response.json({ content_id: "final", concurrent: 12, as_of: new Date().toISOString(), ...more });

function place(attributes: Record<string, string> = {}): HTMLElement {
  const element = document.createElement("grandstand-viewers");
  const all = { content: "final", endpoint: "https://audience.example", lang: "en", ...attributes };
  for (const [name, value] of Object.entries(all)) element.setAttribute(name, value);
  element.append("Live");
  document.body.append(element);
  return element;
}

/** What somebody reads; the placeholder where there is no figure. */
function shown(element: Element): string {
  const figure = element.shadowRoot?.querySelector<HTMLElement>('[part="figure"]');
  return (figure?.hidden ? element.textContent : figure?.textContent) ?? "";
}

async function pass(seconds: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(seconds * 1000);
}

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse("2026-11-20T18:00:00Z") });
  vi.spyOn(Math, "random").mockReturnValue(0.5); // of the first pause, which would else end at any moment
  vi.stubGlobal("IntersectionObserver", undefined);
  vi.stubGlobal("fetch", (url: string) => {
    asked.push(url);
    return Promise.resolve().then(answer);
  });
  asked = [];
  answer = figures;
});

afterEach(() => {
  document.body.replaceChildren();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

test("a browser that does not tell what is on screen shows the count, and takes up attributes", async () => {
  const element = place();
  await pass(0.1);
  expect(shown(element)).toBe("12 viewers");
  element.setAttribute("lang", "de");
  expect(shown(element)).toContain("12");
  expect(shown(element)).not.toBe("12 viewers");
});

test("a browser that names no language is answered in English", async () => {
  vi.spyOn(navigator, "language", "get").mockReturnValue(undefined as unknown as string);
  const element = place();
  element.removeAttribute("lang");
  await pass(0.1);
  expect(shown(element)).toBe("12 viewers");
});

test.each(["1e12", "Infinity", "1e999", "90"])(
  "asked to be told every %s s, it asks in time for the count to stay, and not without a pause",
  async (every) => {
    const element = place({ every });
    await pass(0.1);
    for (let turn = 0; turn < 30; turn += 1) {
      await pass(10);
      expect(shown(element)).toBe("12 viewers");
    }
    expect(asked.length).toBeLessThanOrEqual(12);
  },
);

test.each(["1e12", "Infinity", "999999999999"])(
  "an answer that says to wait %s s is not asked without a pause",
  async (wait) => {
    answer = () => new Response("", { status: 429, headers: { "retry-after": wait } });
    place();
    await pass(600);
    expect(asked).toHaveLength(1);
  },
);

describe("an answer that is no audience", () => {
  test.each([
    "null",
    "5",
    "[]",
    "<!doctype html>",
    '{"concurrent":"12","as_of":"2026-11-20T18:00:00Z"}',
    '{"concurrent":-3,"as_of":"2026-11-20T18:00:00Z"}',
    '{"concurrent":1e21,"as_of":"2026-11-20T18:00:00Z"}',
    '{"concurrent":12,"as_of":"soon"}',
    '{"__proto__":{"concurrent":12,"as_of":"2026-11-20T18:00:00Z"}}',
  ])("shows no count: %s", async (text) => {
    answer = () => new Response(text, { headers: { "content-type": "application/json" } });
    const element = place();
    await pass(30);
    expect(shown(element)).toBe("Number of viewers not known right now");
    expect(asked.length).toBeGreaterThan(1);
    expect(({} as Record<string, unknown>).concurrent).toBeUndefined();
  });
});

test("an element that is moved within the page keeps its count and asks no more than before", async () => {
  const element = place();
  await pass(0.1);
  for (let turn = 0; turn < 20; turn += 1) document.body.append(element, document.createElement("hr"));
  expect(shown(element)).toBe("12 viewers");
  await pass(0);
  expect(shown(element)).toBe("12 viewers");
  expect(asked).toHaveLength(1);
});

test("500 elements come and go, and nobody is asked for them any more", async () => {
  const elements = Array.from({ length: 500 }, (_, index) =>
    place({ content: `match-${String(index % 5)}` }),
  );
  await pass(0.1);
  expect(asked).toHaveLength(5);
  for (const element of elements) element.remove();
  await pass(0);
  expect(vi.getTimerCount()).toBe(0);
});
