import { css, html } from "lit";
import { customElement, property } from "lit/decorators.js";

import { LOCALES, locale, setLocale, t, type Locale } from "../i18n/locale.ts";
import { GsElement } from "../parts/element.ts";
import { shared } from "../styles/shared.ts";
import { address, type Route } from "./router.ts";
import { THEMES, setTheme, theme, type Theme } from "./theme.ts";

const LINKS = ["overview", "preferences", "health"] as const;

/** The views, the language, the theme. */
@customElement("gs-header")
export class GsHeader extends GsElement {
  static override styles = [
    shared,
    css`
      header {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 8px 24px;
        padding: 8px var(--gap);
        border-block-end: 1px solid var(--line);
        background: var(--surface);
      }
      nav a[aria-current] {
        color: var(--text);
        font-weight: 650;
      }
    `,
  ];

  @property() view: Route["view"] = "overview";

  protected override render() {
    return html`
      <header>
        <strong>Grandstand</strong>
        <nav class="row" aria-label=${t("shell.main")}>
          ${LINKS.map(
            (view) =>
              html`<a href=${address(view)} aria-current=${this.view === view ? "page" : "false"}
                >${t(`shell.${view}`)}</a
              >`,
          )}
        </nav>
        <label class="row">
          ${t("shell.language")}
          <select @change=${this.chooseLanguage}>
            ${Object.entries(LOCALES).map(
              ([code, name]) =>
                html`<option value=${code} lang=${code} ?selected=${code === locale()}>${name}</option>`,
            )}
          </select>
        </label>
        <label class="row">
          ${t("shell.theme")}
          <select @change=${this.chooseTheme}>
            ${THEMES.map(
              (one) =>
                html`<option value=${one} ?selected=${one === theme()}>${t(`shell.theme_${one}`)}</option>`,
            )}
          </select>
        </label>
      </header>
    `;
  }

  private chooseLanguage(event: Event): void {
    void setLocale((event.target as HTMLSelectElement).value as Locale);
  }

  private chooseTheme(event: Event): void {
    setTheme((event.target as HTMLSelectElement).value as Theme);
  }
}
