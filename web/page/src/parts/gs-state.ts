import { css, html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";

import type { Failed, Trouble } from "../api/client.ts";
import { t, type MessageKey } from "../i18n/locale.ts";
import { shared } from "../styles/shared.ts";
import { GsElement } from "./element.ts";

/** What people meet instead of figures: what is the matter, and what to do about it. */
export type State =
  Trouble | "loading" | "not-loaded" | "nothing-yet" | "no-such-content" | "no-such-page" | "no-match";

const TO_SIGN_IN: readonly State[] = ["sign-in", "forbidden"];
const TO_OVERVIEW: readonly State[] = ["missing", "no-such-content", "no-such-page"];

@customElement("gs-state")
export class GsState extends GsElement {
  static override styles = [
    shared,
    css`
      :host {
        display: block;
      }
      .card {
        display: grid;
        gap: 8px;
        max-width: 44rem;
        margin-inline: auto;
        margin-block: 24px;
      }
      h1 {
        font-size: 1.25rem;
      }
    `,
  ];

  @property() state: State = "loading";
  /** The suite's own words, in English; shown below ours. */
  @property() detail = "";
  /** Whether this is all that the view has to say: then its title is the page's heading. */
  @property({ type: Boolean }) main = false;

  protected override render() {
    const key = this.state.replaceAll("-", "_");
    const title = t(`states.${key}_title` as MessageKey);
    return html`
      <div class="card" role=${this.state === "loading" ? "status" : nothing}>
        ${this.main ? html`<h1>${title}</h1>` : html`<h2>${title}</h2>`}
        <p>${t(`states.${key}_text` as MessageKey)}</p>
        ${this.detail ? html`<p class="quiet" lang="en" dir="ltr">${this.detail}</p>` : nothing}
        <slot></slot>
        ${this.wayOut()}
      </div>
    `;
  }

  private wayOut() {
    if (TO_SIGN_IN.includes(this.state)) return html`<p><a href="#/sign-in">${t("shell.sign_in")}</a></p>`;
    if (TO_OVERVIEW.includes(this.state)) return html`<p><a href="#/">${t("shell.to_overview")}</a></p>`;
    if (this.state === "not-loaded")
      return html`<p>
        <button type="button" class="primary" @click=${this.reload}>${t("shell.reload")}</button>
      </p>`;
    return nothing;
  }

  private reload(): void {
    location.reload();
  }
}

/** What to show of an answer that never came. */
export const stateOf = (failed: Failed) => html`
  <gs-state .state=${failed.trouble} .detail=${failed.trouble === "refused" ? failed.detail : ""}></gs-state>
`;

declare global {
  interface HTMLElementTagNameMap {
    "gs-state": GsState;
  }
}
