import { css, html, nothing } from "lit";
import { customElement } from "lit/decorators.js";

import { GsElement } from "../parts/element.ts";
import "../parts/gs-state.ts";
import { shared } from "../styles/shared.ts";
import "./gs-header.ts";
import { Routed } from "./router.ts";

const VIEWS = {
  overview: () => import("../views/overview/gs-overview.ts"),
  content: () => import("../views/content/gs-content.ts"),
  preferences: () => import("../views/preferences/gs-preferences.ts"),
  health: () => import("../views/health/gs-health.ts"),
  "sign-in": () => import("./gs-sign-in.ts"),
  unknown: () => Promise.resolve(),
};

/** The page: its header, and the view that the address names. Each view's code is fetched when it is first shown. */
@customElement("gs-app")
export class GsApp extends GsElement {
  static override styles = [
    shared,
    css`
      main {
        display: block;
        max-width: 1880px;
        min-height: 100vh;
        margin-inline: auto;
        padding: var(--gap);
        outline: none;
      }
    `,
  ];

  private readonly routed = new Routed(this);

  protected override render() {
    const { route } = this.routed;
    void VIEWS[route.view]();
    return html`
      <gs-header .view=${route.view}></gs-header>
      <main id="main" tabindex="-1">${this.viewOf()}</main>
    `;
  }

  private viewOf() {
    const { route } = this.routed;
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
        return html`<gs-state state="no-such-page"></gs-state>`;
      default:
        return nothing;
    }
  }
}
