import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { LOCALES, faults, readAll, type Locale, type Messages } from "./messages.ts";

const WEB = join(import.meta.dirname, "..");
const ALL = readAll(join(WEB, "messages"));

/** All locales say the same, but for one. */
const where = (english: Messages, locale: Locale, own: Messages): Record<Locale, Messages> =>
  Object.fromEntries(LOCALES.map((one) => [one, one === locale ? own : english])) as Record<Locale, Messages>;

describe("messages", () => {
  it("are whole and well formed in every language", () => {
    expect(faults(ALL)).toEqual([]);
  });

  it.each([
    ["is missing", {}, "is missing"],
    ["is empty", { "a.b": " " }, "is missing"],
    ["is one too many", { "a.b": "{n}", "a.c": "x" }, "a.c is not in en"],
    ["cannot be read", { "a.b": "{n" }, "cannot be read"],
    ["takes something else", { "a.b": "{m}" }, "takes {m}, en takes {n}"],
    ["takes less", { "a.b": "x" }, "takes {}, en takes {n}"],
  ])("fail when one %s", (_, own, why) => {
    const wrong = faults(where({ "a.b": "{n}" }, "de", own));
    expect(wrong).toHaveLength(1);
    expect(wrong[0]).toMatch(/^de: /);
    expect(wrong[0]).toContain(why);
  });

  it.each([
    ["ar", "zero, two, few, many"],
    ["es", "many"],
    ["fr", "many"],
  ] as const)("fail in %s without the plural forms %s", (locale, lacking) => {
    const english = { "a.b": "{n, plural, one {# viewer} other {# viewers}}" };
    expect(faults(where(english, locale, english)).filter((fault) => fault.startsWith(locale))).toEqual([
      `${locale}: a.b lacks the plural ${lacking}`,
    ]);
  });

  it("fail on a plural within a plural too", () => {
    const english = { "a.b": "{n, plural, one {1} other {{m, plural, other {#}}}}" };
    expect(faults(where(english, "de", english))).toContain("de: a.b lacks the plural one");
  });

  it("are each used: what nothing says need not be translated", () => {
    const said = saidIn(join(WEB, "page/src"));
    const unused = Object.keys(ALL.en)
      .filter((key) => !key.startsWith("widgets."))
      .filter((key) => !said.some((pattern) => pattern.test(key)));
    expect(unused).toEqual([]);
  });
});

/**
 * What the source names as a message: `"shell.theme"`, `shell.theme_${…}`, and for worded("values.", …) all that
 * begins so.
 */
function saidIn(folder: string): RegExp[] {
  const areas = readdirSync(join(WEB, "messages/en")).map((file) => file.replace(".json", ""));
  const literal = new RegExp(`"((?:${areas.join("|")})\\.[^"]*)"|\`((?:${areas.join("|")})\\.[^\`]*)\``, "g");
  const sources = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(
    (file) => file.endsWith(".ts") && !file.endsWith(".test.ts"),
  );
  return sources
    .flatMap((file) => [...readFileSync(join(folder, file), "utf8").matchAll(literal)])
    .map(([, quoted, template = ""]) => new RegExp(`^${patternOf(quoted ?? template)}$`));
}

const patternOf = (key: string): string => key.replace(/\$\{.*?\}/g, ".+").replace(/[._]$/, "$&.+");
