import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

import {
  isPluralElement,
  isSelectElement,
  isTagElement,
  isLiteralElement,
  isPoundElement,
  parse,
  type MessageFormatElement,
} from "@formatjs/icu-messageformat-parser";
import type { Plugin } from "vite";

export const LOCALES = ["en", "es", "de", "fr", "hi", "ar"] as const;
export type Locale = (typeof LOCALES)[number];
export type Messages = Record<string, string>;

const SOURCE: Locale = "en";
const MODULE = "virtual:messages/";
/** Inlined in widgets.js, which is no part of the page. */
const ELSEWHERE = "widgets.";

/**
 * `virtual:messages/{locale}`: a locale's messages of all areas, keys prefixed with their area.
 *
 * The build fails when a locale lacks a message, has one too many, cannot be parsed as ICU MessageFormat, takes
 * other arguments than the English one, or leaves out a plural form that its language has.
 */
export function messages(folder = join(import.meta.dirname, "../messages")): Plugin {
  return {
    name: "grandstand-messages",
    buildStart() {
      const wrong = faults(readAll(folder));
      if (wrong.length > 0) this.error(`web/messages:\n  ${wrong.join("\n  ")}`);
    },
    resolveId: (id) => (id.startsWith(MODULE) ? `\0${id}` : undefined),
    load(id) {
      if (!id.startsWith(`\0${MODULE}`)) return undefined;
      const locale = id.slice(MODULE.length + 1);
      for (const file of readdirSync(join(folder, locale))) this.addWatchFile(join(folder, locale, file));
      const own = Object.entries(read(folder, locale)).filter(([key]) => !key.startsWith(ELSEWHERE));
      return `export default ${JSON.stringify(Object.fromEntries(own))}`;
    },
  };
}

/** Every locale's messages. */
export function readAll(folder: string): Record<Locale, Messages> {
  return Object.fromEntries(LOCALES.map((locale) => [locale, read(folder, locale)])) as Record<
    Locale,
    Messages
  >;
}

function read(folder: string, locale: string): Messages {
  const all: Messages = {};
  for (const file of readdirSync(join(folder, locale)).sort()) {
    const area = file.replace(/\.json$/, "");
    const own = JSON.parse(readFileSync(join(folder, locale, file), "utf8")) as Messages;
    for (const [key, text] of Object.entries(own)) all[`${area}.${key}`] = text;
  }
  return all;
}

/** What is wrong with the messages, a line each; nothing when all is well. */
export function faults(all: Record<Locale, Messages>): string[] {
  const source = all[SOURCE];
  return LOCALES.flatMap((locale) => {
    const own = all[locale];
    const missing = Object.keys(source).filter((key) => !own[key]?.trim());
    const surplus = Object.keys(own).filter((key) => !(key in source));
    return [
      ...missing.map((key) => `${locale}: ${key} is missing`),
      ...surplus.map((key) => `${locale}: ${key} is not in ${SOURCE}`),
      ...Object.keys(source)
        .filter((key) => own[key]?.trim())
        .flatMap((key) => faultsOf(locale, key, own[key] ?? "", source[key] ?? "")),
    ];
  });
}

function faultsOf(locale: Locale, key: string, text: string, source: string): string[] {
  let own: Shape;
  try {
    own = shape(parse(text));
  } catch (error) {
    return [`${locale}: ${key} cannot be read: ${error instanceof Error ? error.message : String(error)}`];
  }
  const wanted = shape(parse(source));
  const wrong: string[] = [];
  if ([...own.names].sort().join() !== [...wanted.names].sort().join())
    wrong.push(
      `${locale}: ${key} takes {${[...own.names].join()}}, ${SOURCE} takes {${[...wanted.names].join()}}`,
    );
  for (const { type, forms } of own.plurals) {
    const needed = new Intl.PluralRules(locale, { type }).resolvedOptions().pluralCategories;
    const lacking = needed.filter((form) => !forms.has(form));
    if (lacking.length > 0) wrong.push(`${locale}: ${key} lacks the plural ${lacking.join(", ")}`);
  }
  return wrong;
}

interface Shape {
  names: Set<string>;
  plurals: { type: Intl.PluralRuleType; forms: Set<string> }[];
}

/** What a message takes, and which plural forms it has. */
function shape(elements: MessageFormatElement[], found: Shape = { names: new Set(), plurals: [] }): Shape {
  for (const element of elements) {
    if (isLiteralElement(element) || isPoundElement(element)) continue;
    found.names.add(element.value);
    if (isTagElement(element)) shape(element.children, found);
    if (isPluralElement(element))
      found.plurals.push({
        type: element.pluralType ?? "cardinal",
        forms: new Set(Object.keys(element.options)),
      });
    if (isPluralElement(element) || isSelectElement(element))
      for (const option of Object.values(element.options)) shape(option.value, found);
  }
  return found;
}
