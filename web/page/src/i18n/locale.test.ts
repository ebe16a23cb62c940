import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import {
  LOCALES,
  chooseLocale,
  direction,
  locale,
  regional,
  setLocale,
  t,
  worded,
  type Locale,
} from "./locale.ts";

describe("the language", () => {
  beforeEach(() => {
    localStorage.clear();
  });
  afterEach(async () => {
    await setLocale("en", false);
  });

  it.each([
    [["fr-CA", "en"], "fr"],
    [["pt-BR", "es-MX"], "es"],
    [["ja"], "en"],
    [[], "en"],
  ])("of a browser that asks for %j is %s", async (asked, spoken) => {
    vi.spyOn(navigator, "languages", "get").mockReturnValue(asked);
    await chooseLocale();
    expect(locale()).toBe(spoken);
  });

  it("that was chosen is kept, whatever the browser asks for", async () => {
    vi.spyOn(navigator, "languages", "get").mockReturnValue(["fr"]);
    await setLocale("hi");
    await setLocale("en", false);
    await chooseLocale();
    expect(locale()).toBe("hi");
  });

  it.each(Object.keys(LOCALES) as Locale[])("%s turns the page its way", async (chosen) => {
    await setLocale(chosen, false);
    expect(document.documentElement).toMatchObject({ lang: chosen, dir: chosen === "ar" ? "rtl" : "ltr" });
    expect(direction()).toBe(document.documentElement.dir);
  });

  it.each([
    ["en", ["de", "en-GB", "en-US"], "en-GB"],
    ["de", ["en-GB", "de-CH"], "de-CH"],
    ["fr", ["en-GB"], "fr"],
  ] as [Locale, string[], string][])("%s for a browser of %j writes numbers as %s does", async (...given) => {
    const [chosen, asked, written] = given;
    vi.spyOn(navigator, "languages", "get").mockReturnValue(asked);
    await setLocale(chosen, false);
    expect(regional()).toBe(written);
  });

  it("has plurals as it needs them", async () => {
    await setLocale("ar", false);
    const said = [0, 1, 2, 3, 11, 100].map((count) => t("overview.found", { count }));
    expect(new Set(said).size).toBe(6);
  });

  it("keeps titles that run the other way from reordering a sentence, and leaves others as they are", async () => {
    await setLocale("en", false);
    expect(t("shell.definition_of", { figure: "Errors" })).toBe("What is “Errors”?");
    expect(t("shell.definition_of", { figure: "الهلال" })).toBe("What is “\u2068الهلال\u2069”?");
  });

  it("has no word for a code that is not known, which stands as it is", async () => {
    await setLocale("de", false);
    expect(worded("overview.problem_", "stalling")).toBe("Unterbrechungen");
    expect(worded("overview.problem_", "<b>new</b>")).toBe("<b>new</b>");
  });
});
