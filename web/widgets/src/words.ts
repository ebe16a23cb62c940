import ar from "../../messages/ar/widgets.json";
import de from "../../messages/de/widgets.json";
import en from "../../messages/en/widgets.json";
import es from "../../messages/es/widgets.json";
import fr from "../../messages/fr/widgets.json";
import hi from "../../messages/hi/widgets.json";

const MESSAGES = new Map(Object.entries({ ar, de, en, es, fr, hi }));
const PLURAL_FORM = /(\w+) \{([^}]*)\}/g;

/** A message cut where the number stands in it; some plurals say the number in words. */
export interface Phrase {
  before: string;
  count: string;
  after: string;
}

/** How one language speaks of viewers: English where the asked one is not among the six. */
export class Words {
  readonly locale: string;
  readonly direction: "ltr" | "rtl";
  readonly unknown: string;
  readonly #number: Intl.NumberFormat;
  readonly #plural: Intl.PluralRules;
  readonly #forms: Map<string, string>;

  constructor(asked: string, compact: boolean) {
    const [language = ""] = asked.toLowerCase().split("-");
    const own = MESSAGES.get(language);
    const { viewers, unknown } = own ?? en;
    const options = compact ? ({ notation: "compact" } as const) : {};
    this.locale = own ? valid(asked, language) : "en";
    this.direction = own === ar ? "rtl" : "ltr";
    this.unknown = unknown;
    this.#number = new Intl.NumberFormat(this.locale, options);
    this.#plural = new Intl.PluralRules(this.locale, options as Intl.PluralRulesOptions);
    this.#forms = new Map([...viewers.matchAll(PLURAL_FORM)].map(([, form = "", text = ""]) => [form, text]));
  }

  viewers(count: number): Phrase {
    const [before = "", after] = (this.#forms.get(this.#plural.select(count)) ?? "#").split("#");
    return after === undefined
      ? { before, count: "", after: "" }
      : { before, count: this.#number.format(count), after };
  }
}

/** The tag as it is where it is well formed, for the numerals of its region; else its language alone. */
function valid(tag: string, language: string): string {
  try {
    return Intl.getCanonicalLocales(tag)[0] ?? language;
  } catch {
    return language;
  }
}

/** The language that holds for an element, through the shadow roots around it. */
export function languageOf(element: Element): string {
  const teller = element.closest("[lang]:not([lang=''])");
  if (teller) return teller.getAttribute("lang") ?? "";
  const around = element.getRootNode();
  return around instanceof ShadowRoot ? languageOf(around.host) : navigator.language || "en";
}
