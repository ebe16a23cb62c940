import { css, html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";

import { Connected, connection } from "../api/connection.ts";
import { credential, setCredential } from "../api/credential.ts";
import { LOCALES, locale, setLocale, t, type Locale } from "../i18n/locale.ts";
import { GsElement } from "../parts/element.ts";
import { shared } from "../styles/shared.ts";
import { address, type Route } from "./router.ts";
import { THEMES, setTheme, theme, type Theme } from "./theme.ts";

const LINKS = [
  { view: "overview", name: "shell.overview" },
  { view: "preferences", name: "shell.preferences" },
  { view: "health", name: "shell.health" },
] as const;

/**
 * The views; and the language, the theme and the key, which wait behind a button where there is little room.
 *
 * Sends `skip` when somebody wants to go past it.
 */
@customElement("gs-header")
export class GsHeader extends GsElement {
  static override styles = [
    shared,
    css`
      header {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 4px 24px;
        min-height: 56px;
        padding: 4px var(--gap);
        border-block-end: 1px solid var(--line);
        background: var(--surface);
      }
      a {
        display: flex;
        align-items: center;
        min-height: 40px;
        color: var(--text);
        text-decoration: none;
      }
      a:hover {
        text-decoration: underline;
      }
      .name {
        gap: 8px;
        font-weight: 700;
      }
      nav {
        display: flex;
        flex-wrap: wrap;
        gap: 0 4px;
      }
      nav a {
        padding: 3px 10px;
      }
      nav a[aria-current] {
        padding-block: 3px 0;
        border-block-end: 3px solid var(--accent);
        font-weight: 650;
      }
      .settings {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 8px 16px;
        color: var(--text);
        font-size: 0.875rem;
      }
      label {
        display: flex;
        align-items: center;
        gap: 8px;
      }
      select {
        padding-inline: 8px;
      }
      .more {
        display: none;
        min-height: 40px;
        margin-inline-start: auto;
      }
      .skip {
        position: absolute;
        z-index: 2;
        inset-block-start: 8px;
        inset-inline-start: 8px;
        padding: 8px 16px;
        border-radius: 8px;
        background: var(--accent);
        color: var(--on-accent);
      }
      .skip:not(:focus) {
        clip-path: inset(50%);
      }
      @media (min-width: 65rem) {
        .settings {
          position: static;
          width: auto;
          height: auto;
          margin: 0;
          margin-inline-start: auto;
          padding: 0;
          border: 0;
          overflow: visible;
          background: none;
        }
      }
      @media (max-width: 64.99rem) {
        .more {
          display: block;
        }
        .settings:not(:popover-open) {
          display: none;
        }
        .settings {
          inset: auto;
          inset-block-start: 60px;
          inset-inline-end: var(--gap);
          margin: 0;
          padding: var(--gap);
          border: 1px solid var(--control-line);
          border-radius: var(--radius);
          background: var(--surface);
          flex-direction: column;
          align-items: stretch;
        }
        label {
          justify-content: space-between;
        }
      }
      @media (max-width: 40rem) {
        nav {
          order: 1;
          width: 100%;
          justify-content: space-between;
          column-gap: 0;
        }
        nav a {
          padding-inline: 4px;
          font-size: 0.9375rem;
        }
      }
    `,
  ];

  @property() view: Route["view"] = "overview";

  protected readonly connected = new Connected(this);

  protected override render() {
    return html`
      <header>
        <a class="skip" href="#main" @click=${this.skip}>${t("shell.skip")}</a>
        <a class="name" href=${address("overview")}>${logo} Grandstand</a>
        <nav aria-label=${t("shell.main")}>
          ${LINKS.map(
            ({ view, name }) =>
              html`<a href=${address(view)} aria-current=${this.view === view ? "page" : nothing}
                >${t(name)}</a
              >`,
          )}
        </nav>
        <button class="more" type="button" popovertarget="settings">${t("shell.settings")}</button>
        <div class="settings" id="settings" popover>${this.session()} ${this.language()} ${this.theme()}</div>
      </header>
    `;
  }

  private session() {
    if (credential() !== null)
      return html`<button type="button" @click=${this.signOut}>${t("shell.sign_out")}</button>`;
    return connection.locked ? html`<a href=${address("sign-in")}>${t("shell.sign_in")}</a>` : nothing;
  }

  private language() {
    return html`
      <label>
        ${t("shell.language")}
        <select @change=${this.chooseLanguage}>
          ${Object.entries(LOCALES).map(
            ([code, name]) =>
              html`<option value=${code} lang=${code} ?selected=${code === locale()}>${name}</option>`,
          )}
        </select>
      </label>
    `;
  }

  private theme() {
    return html`
      <label>
        ${t("shell.theme")}
        <select @change=${this.chooseTheme}>
          ${THEMES.map(
            (one) =>
              html`<option value=${one} ?selected=${one === theme()}>${t(`shell.theme_${one}`)}</option>`,
          )}
        </select>
      </label>
    `;
  }

  /** The hash is the view's address: the page itself goes there. */
  private skip(event: Event): void {
    event.preventDefault();
    this.dispatchEvent(new Event("skip"));
  }

  private chooseLanguage(event: Event): void {
    void setLocale((event.target as HTMLSelectElement).value as Locale);
  }

  private chooseTheme(event: Event): void {
    setTheme((event.target as HTMLSelectElement).value as Theme);
  }

  private signOut(): void {
    setCredential(null);
  }
}

const logo = html`<svg width="28" height="28" viewBox="0 0 32 32" aria-hidden="true">
  <rect width="32" height="32" rx="7" fill="var(--accent)" />
  <path
    d="M6 22l6-7 5 4 9-11"
    fill="none"
    stroke="var(--on-accent)"
    stroke-width="3"
    stroke-linecap="round"
    stroke-linejoin="round"
  />
</svg>`;

declare global {
  interface HTMLElementTagNameMap {
    "gs-header": GsHeader;
  }
}
