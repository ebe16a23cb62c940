import { css, html } from "lit";
import { customElement, query, state } from "lit/decorators.js";
import { keyed } from "lit/directives/keyed.js";

import { locale, t } from "../i18n/locale.ts";
import { GsElement } from "../parts/element.ts";
import "../parts/gs-state.ts";
import { shared } from "../styles/shared.ts";
import "./gs-banner.ts";
import "./gs-header.ts";
import { Routed, type Route } from "./router.ts";
import { setTitle } from "./title.ts";
import { VIEWS } from "./views.ts";

/** The page: its header, and the view that the address names. */
@customElement("gs-app")
export class GsApp extends GsElement {
  static override styles = [
    shared,
    css`
      :host {
        display: flex;
        flex-direction: column;
        min-height: 100vh;
      }
      main {
        flex: 1;
        width: 100%;
        max-width: 120rem;
        margin-inline: auto;
        padding: var(--gap);
      }
      main:focus {
        outline: none;
      }
    `,
  ];

  @query("main") private readonly main!: HTMLElement;
  /** Which view's code could not be fetched. */
  @state() private lacking: Route["view"] | null = null;
  /** Grows when a key is entered or given back: what was shown with another is not to stay. */
  @state() private session = 0;

  private readonly routed = new Routed(this);
  private shown: string | null = null;
  private titled = "";

  private readonly anotherSession = (): void => {
    this.session += 1;
  };

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener("credentialchange", this.anotherSession);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener("credentialchange", this.anotherSession);
  }

  protected override render() {
    const { route } = this.routed;
    // views begin anew with another content or key; signing in goes on
    const life = route.view === "sign-in" ? "" : `${this.session} ${showing(route)}`;
    return html`
      <gs-header .view=${route.view} @skip=${this.skip}></gs-header>
      <main id="main" tabindex="-1" aria-label=${titleOf(route)}>${keyed(life, this.viewOf(route))}</main>
      <gs-banner></gs-banner>
    `;
  }

  private viewOf(route: Route) {
    if (this.lacking === route.view) return html`<gs-state .state=${"not-loaded"} main></gs-state>`;
    switch (route.view) {
      case "overview":
        return html`<gs-overview .parameters=${route.parameters}></gs-overview>`;
      case "content":
        return html`<gs-content .contentId=${route.contentId} .parameters=${route.parameters}></gs-content>`;
      case "preferences":
        return html`<gs-preferences .parameters=${route.parameters}></gs-preferences>`;
      case "health":
        return html`<gs-health .parameters=${route.parameters}></gs-health>`;
      case "sign-in":
        return html`<gs-sign-in></gs-sign-in>`;
      case "unknown":
        return html`<gs-state .state=${"no-such-page"} main></gs-state>`;
    }
  }

  protected override updated(): void {
    const { route } = this.routed;
    const shown = showing(route);
    if (shown !== this.shown) void this.enter(route.view, this.shown !== null);
    this.shown = shown;
    if (this.titled !== `${locale()} ${shown}`) setTitle(titleOf(route));
    this.titled = `${locale()} ${shown}`;
  }

  /** Fetch the view's code, and where the view was changed, begin at its top as a new page would. */
  private async enter(view: Route["view"], changed: boolean): Promise<void> {
    try {
      await VIEWS[view]();
      this.lacking = null;
    } catch {
      this.lacking = view;
    }
    if (!changed) return;
    window.scrollTo(0, 0);
    this.main.focus({ preventScroll: true });
  }

  private skip(): void {
    this.main.focus();
  }
}

const showing = (route: Route): string =>
  route.view === "content" ? `content ${route.contentId}` : route.view;

function titleOf(route: Route): string {
  switch (route.view) {
    case "content":
      return route.contentId;
    case "overview":
      return t("shell.overview");
    case "preferences":
      return t("shell.preferences");
    case "health":
      return t("shell.health");
    case "sign-in":
      return t("shell.sign_in");
    case "unknown":
      return t("states.no_such_page_title");
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "gs-app": GsApp;
  }
}
