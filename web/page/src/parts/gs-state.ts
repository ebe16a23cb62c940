import { css, html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";

import type { Failed, Trouble } from "../api/client.ts";
import { t, type MessageKey } from "../i18n/locale.ts";
import { shared } from "../styles/shared.ts";
import { GsElement } from "./element.ts";

/** What people meet instead of figures: what is the matter, and what to do about it. */
export type State = Trouble | "loading" | "nothing-yet" | "no-such-content" | "no-such-page" | "no-match";

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
    `,
  ];

  @property() state: State = "loading";
  /** The suite's own words, in English; shown below ours. */
  @property() detail = "";

  protected override render() {
    const key = this.state.replaceAll("-", "_");
    return html`
      <section class="card" role=${this.state === "loading" ? "status" : nothing}>
        <h2>${t(`states.${key}_title` as MessageKey)}</h2>
        <p>${t(`states.${key}_text` as MessageKey)}</p>
        ${this.detail ? html`<p class="quiet" lang="en" dir="ltr">${this.detail}</p>` : nothing}
        <div class="row">
          ${
            ["sign-in", "forbidden"].includes(this.state)
              ? html`<a href="#/sign-in">${t("shell.sign_in")}</a>`
              : nothing
          }
          ${
            ["missing", "no-such-content", "no-such-page"].includes(this.state)
              ? html`<a href="#/">${t("shell.overview")}</a>`
              : nothing
          }
        </div>
      </section>
    `;
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
