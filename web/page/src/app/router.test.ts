import fc from "fast-check";
import { beforeEach, describe, expect, it, vi } from "vitest";

import { address, contentAddress, parse, setParameters } from "./router.ts";

describe("an address", () => {
  beforeEach(() => {
    history.replaceState(null, "", "#/");
  });

  it.each([
    ["", "overview"],
    ["#/", "overview"],
    ["#/?q=final", "overview"],
    ["#/preferences?by=country", "preferences"],
    ["#/health", "health"],
    ["#/sign-in", "sign-in"],
    ["#/contents/final", "content"],
    ["#/contents/", "unknown"],
    ["#/nonsense", "unknown"],
  ])("%s is of the view %s", (hash, view) => {
    expect(parse(hash).view).toBe(view);
  });

  it("brings any content's id back as it was", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (contentId) => {
        expect(parse(contentAddress(contentId))).toMatchObject({ view: "content", contentId });
      }),
    );
  });

  it("brings any parameter back as it was", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (q) => {
        expect(parse(address("overview", new URLSearchParams({ q }))).parameters.get("q")).toBe(q);
      }),
    );
  });

  it("that a person mistyped is shown as it stands rather than failing", () => {
    expect(parse("#/contents/100%")).toMatchObject({ view: "content", contentId: "100%" });
  });

  it("says what is looked at without another entry in the history, and tells the page", () => {
    history.replaceState(null, "", "#/contents/final?split=country");
    const before = history.length;
    const told = vi.fn();
    window.addEventListener("hashchange", told, { once: true });
    setParameters({ compare: "DE,FR", split: null });
    expect(location.hash).toBe("#/contents/final?compare=DE%2CFR");
    expect(history.length).toBe(before);
    expect(told).toHaveBeenCalledOnce();
  });
});
