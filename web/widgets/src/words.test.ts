import { IntlMessageFormat } from "intl-messageformat";
import { describe, expect, test } from "vitest";

import { LOCALES, readAll } from "../../plugins/messages.ts";
import { languageOf, Words } from "./words.ts";

const MESSAGES = readAll(`${import.meta.dirname}/../../messages`);

function said(locale: string, count: number, compact = false): string {
  const { before, count: number, after } = new Words(locale, compact).viewers(count);
  return before + number + after;
}

describe.each(LOCALES)("in %s", (locale) => {
  test.each([0, 1, 2, 3, 11, 100, 1_234, 1_000_000, 2_000_000])(
    "%i viewers are said as the message has it",
    (count) => {
      const message = MESSAGES[locale]["widgets.viewers"] ?? "";
      expect(said(locale, count)).toBe(new IntlMessageFormat(message, locale).format({ count }));
    },
  );
});

test("a number is written as its language writes it, short where that is asked for", () => {
  expect(said("de", 1_234_567)).toBe("1.234.567 Zuschauer");
  expect(said("en", 1_234_567, true)).toBe("1.2M viewers");
});

test("a region's own numerals and spelling of numbers are used", () => {
  expect(said("de-CH", 1_234_567)).toMatch(/^1['’]234['’]567 Zuschauer$/);
  expect(said("ar-EG", 45)).toContain("٤٥");
});

test("a plural that says its number in words has no number of its own", () => {
  expect(new Words("ar", false).viewers(2)).toEqual({ before: "مشاهدان", count: "", after: "" });
});

test.each(["it", "", "x", "en-", "not a language", "constructor"])("%j is answered in English", (tag) => {
  expect(said(tag, 1_234)).toBe("1,234 viewers");
});

test("Arabic is written from right to left, all else from left to right", () => {
  expect(LOCALES.filter((locale) => new Words(locale, false).direction === "rtl")).toEqual(["ar"]);
});

test("the language is that of the nearest element that names one, through shadow roots", () => {
  document.body.lang = "fr";
  const host = document.body.appendChild(document.createElement("div"));
  const inner = document.createElement("span");
  host.attachShadow({ mode: "open" }).append(inner);
  expect(languageOf(inner)).toBe("fr");
  host.lang = "es";
  expect(languageOf(inner)).toBe("es");
});
