import { IntlMessageFormat } from "intl-messageformat";
import type { ReactiveController, ReactiveControllerHost } from "lit";

import type { Locale } from "../../../plugins/messages.ts";
import { recall, remember } from "../app/remembered.ts";
import type { MessageKey } from "./keys.ts";

export type { Locale, MessageKey };

/** What each language is called by those who speak it. */
export const LOCALES: Record<Locale, string> = {
  en: "English",
  es: "Español",
  de: "Deutsch",
  fr: "Français",
  hi: "हिन्दी",
  ar: "العربية",
};

const LOAD: Record<Locale, () => Promise<{ default: Record<string, string> }>> = {
  en: () => import("virtual:messages/en"),
  es: () => import("virtual:messages/es"),
  de: () => import("virtual:messages/de"),
  fr: () => import("virtual:messages/fr"),
  hi: () => import("virtual:messages/hi"),
  ar: () => import("virtual:messages/ar"),
};

export type Arguments = Record<string, string | number | Date>;

let current: Locale = "en";
let messages: Record<string, string> = {};
let compiled = new Map<string, IntlMessageFormat>();
const hosts = new Set<ReactiveControllerHost>();

/** The language that is spoken now. */
export const locale = (): Locale => current;

/** That language as it is spoken where the browser is, for numbers and times: en-GB writes 18:30. */
export const regional = (): string => navigator.languages.find((tag) => asLocale(tag) === current) ?? current;

/** Which way it is written. */
export const direction = (): "ltr" | "rtl" => (current === "ar" ? "rtl" : "ltr");

/** Speak the language that was chosen before, else the first that the browser asks for and that we have. */
export function chooseLocale(): Promise<void> {
  return setLocale(
    asLocale(recall("locale")) ?? navigator.languages.map(asLocale).find((found) => found) ?? "en",
    false,
  );
}

/** Speak another language, and keep it. */
export async function setLocale(wanted: Locale, keep = true): Promise<void> {
  messages = (await LOAD[wanted]()).default;
  compiled = new Map();
  current = wanted;
  if (keep) remember("locale", wanted);
  document.documentElement.lang = wanted;
  document.documentElement.dir = direction();
  for (const host of hosts) host.requestUpdate();
}

function asLocale(tag: string | null): Locale | undefined {
  const [language = ""] = (tag ?? "").toLowerCase().split("-");
  return language in LOCALES ? (language as Locale) : undefined;
}

/** The message in the language that is spoken now; numbers and dates in it are written as the language does. */
export function t(key: MessageKey, values?: Arguments): string {
  let message = compiled.get(key);
  if (!message) {
    message = new IntlMessageFormat(messages[key] ?? key, regional());
    compiled.set(key, message);
  }
  return String(message.format(values && isolated(values)));
}

const RIGHT_TO_LEFT = /[\p{Script=Arabic}\p{Script=Hebrew}\u200f\u061c]/u;

/** Text that runs its own way within a sentence must not reorder the sentence: Unicode's first-strong isolates. */
function isolated(values: Arguments): Arguments {
  const isolate = (value: Arguments[string]): Arguments[string] =>
    typeof value === "string" && (direction() === "rtl" || RIGHT_TO_LEFT.test(value))
      ? `\u2068${value}\u2069`
      : value;
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, isolate(value)]));
}

/** What we call a code of the API's: `worded("health.function_", "ingest")`. A code without a message stands as it is. */
export function worded(prefix: string, code: string): string {
  const key = prefix + code;
  return Object.hasOwn(messages, key) ? t(key as MessageKey) : code;
}

/** Draws its host again when another language is chosen. */
export class Localized implements ReactiveController {
  constructor(private readonly host: ReactiveControllerHost) {
    host.addController(this);
  }

  hostConnected(): void {
    hosts.add(this.host);
  }

  hostDisconnected(): void {
    hosts.delete(this.host);
  }
}
