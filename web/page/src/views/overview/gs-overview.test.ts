import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { Overview } from "../../api/types.ts";
import { setLocale } from "../../i18n/locale.ts";
import "./gs-overview.ts";

const MARKUP = "<img src=x onerror=alert(1)>";

const answer = (changes: Partial<Overview> = {}): Overview => ({
  as_of: "2026-06-01T18:00:00Z",
  delay_ms: 0,
  live: [
    {
      content_id: "final",
      title: MARKUP,
      starts_at: "2026-06-01T17:15:00Z",
      concurrent: 4_000,
      concurrent_error: 30,
      change: -120,
      rebuffering_ratio: 0.042,
      sparkline: { from: "2026-06-01T17:31:00Z", resolution: "1m", concurrent: [null, 3_000, 4_000] },
      problems: [{ code: "stalling", value: 0.042, limit: 0.02 }],
    },
    {
      content_id: "a/b",
      title: null,
      starts_at: null,
      concurrent: 2_500,
      concurrent_error: 40,
      change: null,
      rebuffering_ratio: null,
      sparkline: { from: "2026-06-01T17:31:00Z", resolution: "1m", concurrent: [null, null, 2_500] },
      problems: [],
    },
  ],
  more: 3,
  upcoming: [{ content_id: "next", title: "The next one", starts_at: "2026-06-01T18:12:00Z", problems: [] }],
  ended: [
    {
      content_id: "last",
      title: "The last one",
      ended_at: "2026-06-01T17:50:00Z",
      peak_concurrent: 9_000,
      peak_concurrent_error: 70,
    },
  ],
  ...changes,
});

describe("the overview", () => {
  const fetched = vi.fn<(path: string) => Promise<Response>>();
  let view: HTMLElementTagNameMap["gs-overview"];

  beforeEach(async () => {
    await setLocale("en", false);
    history.replaceState(null, "", "#/");
    vi.stubGlobal("fetch", fetched);
  });
  afterEach(() => {
    view.remove();
    vi.unstubAllGlobals();
  });

  async function shows(given: Overview | number, q = ""): Promise<string> {
    fetched.mockImplementation(() =>
      Promise.resolve(
        typeof given === "number" ? new Response("{}", { status: given }) : Response.json(given),
      ),
    );
    view = document.createElement("gs-overview");
    view.parameters = new URLSearchParams(q && { q });
    document.body.append(view);
    await view.updateComplete;
    await vi.waitFor(() => {
      expect(text()).not.toContain("Loading");
    });
    await view.updateComplete;
    return text();
  }

  const text = (): string => textOf(view).replace(/\s+/g, " ");

  /** All that is read in an element, elements inside of it included. */
  function textOf(node: Node): string {
    if (node instanceof HTMLStyleElement || node instanceof HTMLDialogElement) return "";
    if (node instanceof Text) return node.data;
    if (node instanceof HTMLSlotElement) return node.assignedNodes().map(textOf).join(" ");
    const within = node instanceof Element && node.shadowRoot ? node.shadowRoot : node;
    return [...within.childNodes].map(textOf).join(" ");
  }

  const list = (): ShadowRoot =>
    view.renderRoot.querySelector("gs-live-list")?.shadowRoot ?? expect.unreachable();

  it("asks one address that a cache can answer for every page", async () => {
    await shows(answer());
    expect(fetched.mock.calls[0]?.[0]).toBe("/v1/overview");
  });

  it("adds up what is listed, with the error of the sum", async () => {
    const said = await shows(answer());
    expect(
      [...view.renderRoot.querySelectorAll("gs-figure")].map(({ value, error }) => [value, error]),
    ).toEqual([
      ["6,500", "± 50"],
      ["5", ""],
    ]);
    expect(said).toContain("3 more live contents are watched less");
  });

  it("leads to each content, whatever its id is", async () => {
    await shows(answer());
    expect([...list().querySelectorAll("a")].map((link) => link.getAttribute("href"))).toEqual([
      "#/contents/final",
      "#/contents/a%2Fb",
    ]);
  });

  it("shows titles with markup in them as text", async () => {
    expect(await shows(answer())).toContain(MARKUP);
    expect(list().querySelector("img")).toBeNull();
  });

  it("tells of each content viewers, change, stalls and problems in words", async () => {
    const said = await shows(answer());
    expect(said).toContain("4,000 ± 30");
    expect(said).toContain("▼ -120");
    expect(said).toContain("Stalling 4.2% (limit 2%)");
    expect(said).toContain("Began 45 minutes ago");
    expect(list().querySelector("gs-sparkline")?.label).toBe(
      "Viewers in the last 30 minutes: from 3K to 4K, at most 4K",
    );
  });

  it("tells what comes and what has ended", async () => {
    const said = await shows(answer());
    expect(said).toContain("in 12 minutes");
    expect(said).toContain("10 minutes ago");
    expect(said).toContain("Peak 9,000 ± 70");
  });

  it("says what to do where nothing has been reported yet", async () => {
    const said = await shows(answer({ live: [], more: 0, upcoming: [], ended: [] }));
    expect(said).toContain("Nothing yet");
    expect(said).toContain(`curl ${location.origin}/v1/events`);
    expect(said).toContain("make demo");
  });

  it("says when a search finds nothing, and how much it finds", async () => {
    expect(await shows(answer({ live: [], more: 0, upcoming: [], ended: [] }), "nope")).toContain(
      "Nothing found",
    );
    expect(fetched.mock.calls.at(-1)?.[0]).toBe("/v1/overview?q=nope");
    view.remove();
    expect(await shows(answer(), "one")).toContain("7 contents found");
  });

  it.each([
    [401, "Please sign in"],
    [403, "An operator key is needed"],
    [503, "The suite is restarting"],
  ])("says what to do on %i", async (status, words) => {
    expect(await shows(status)).toContain(words);
  });

  it("seeks what was typed, once the typing rests, and says so in the address", async () => {
    await shows(answer());
    const input = view.renderRoot.querySelector("input") ?? expect.unreachable();
    input.value = "final ";
    input.dispatchEvent(new Event("input"));
    await vi.waitFor(() => {
      expect(location.hash).toBe("#/?q=final");
    });
    expect(input.value).toBe("final ");
  });

  it("has the search box at the / key, but not for who is typing", async () => {
    await shows(answer());
    const input = view.renderRoot.querySelector("input") ?? expect.unreachable();
    const press = (target: EventTarget): KeyboardEvent => {
      const event = new KeyboardEvent("keydown", {
        key: "/",
        bubbles: true,
        composed: true,
        cancelable: true,
      });
      target.dispatchEvent(event);
      return event;
    };
    expect(press(document.body).defaultPrevented).toBe(true);
    expect(view.shadowRoot?.activeElement).toBe(input);
    expect(press(input).defaultPrevented).toBe(false);
  });
});
