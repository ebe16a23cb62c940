import { css, html, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";

import { connection, type Outage } from "../api/connection.ts";
import { clock } from "../i18n/format.ts";
import { t, type MessageKey } from "../i18n/locale.ts";
import { GsElement } from "../parts/element.ts";
import { shared } from "../styles/shared.ts";

/** How long it is said that all is well again. */
const BACK_MS = 6_000;

type Told = { outage: Outage; since: number } | { outage: "back"; since: null };

/**
 * The one place that says when figures do not come as they should: what is the matter, since when, what to do.
 *
 * It lies over the page's foot, so that nothing moves when it comes or goes.
 */
@customElement("gs-banner")
export class GsBanner extends GsElement {
  static override styles = [
    shared,
    css`
      .banner {
        position: fixed;
        z-index: 1;
        inset-block-end: var(--gap);
        inset-inline: var(--gap);
        display: flex;
        gap: 12px;
        width: fit-content;
        max-width: 44rem;
        margin-inline: auto;
        padding: 12px 16px;
        border: 2px solid var(--bad);
        border-radius: var(--radius);
        background: var(--surface);
        box-shadow: 0 4px 16px rgb(0 0 0 / 0.3);
      }
      .banner.late,
      .banner.busy {
        border-color: var(--warn);
      }
      .banner.back {
        border-color: var(--good);
      }
      .icon {
        font-size: 1.25rem;
        line-height: 1.2;
      }
      time {
        white-space: nowrap;
      }
    `,
  ];

  @state() private told: Told | null = null;
  private healed: ReturnType<typeof setTimeout> | undefined;

  private readonly hear = (): void => {
    const fault = connection.fault;
    if (fault) {
      clearTimeout(this.healed);
      if (this.told?.outage !== fault.outage || this.told.since !== fault.since) this.told = fault;
    } else if (this.told && this.told.outage !== "back") {
      this.told = { outage: "back", since: null };
      this.healed = setTimeout(() => (this.told = null), BACK_MS);
    }
  };

  override connectedCallback(): void {
    super.connectedCallback();
    connection.addEventListener("change", this.hear);
    this.hear();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    connection.removeEventListener("change", this.hear);
    clearTimeout(this.healed);
  }

  protected override render() {
    return html`<div role="status">${this.told ? this.telling(this.told) : nothing}</div>`;
  }

  private telling({ outage, since }: Told) {
    return html`
      <div class="banner ${outage}">
        <span class="icon" aria-hidden="true">${outage === "back" ? "✓" : "⚠"}</span>
        <div>
          <strong>${t(`states.${outage}_title` as MessageKey)}</strong>
          ${since === null ? nothing : html`<span class="quiet">${t("shell.since", { time: clock(since) })}</span>`}
          <p>${t(`states.${outage}_text` as MessageKey)}</p>
        </div>
      </div>
    `;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "gs-banner": GsBanner;
  }
}
