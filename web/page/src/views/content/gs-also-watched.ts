import { css, html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";

import { contentPath } from "../../api/client.ts";
import { Poll } from "../../api/poll.ts";
import type { AlsoWatched } from "../../api/types.ts";
import { address, contentAddress } from "../../app/router.ts";
import { percent } from "../../i18n/format.ts";
import { t } from "../../i18n/locale.ts";
import { GsElement } from "../../parts/element.ts";
import { shared } from "../../styles/shared.ts";

/** A week changes little in five minutes, and no cache outside the suite may keep it. */
const EVERY_MS = 300_000;

/** What this audience also watches: the first few, and the way to all. Left out where the key does not open it. */
@customElement("gs-also-watched")
export class GsAlsoWatched extends GsElement {
  static override styles = [
    shared,
    css`
      :host {
        display: block;
        min-width: 0;
      }
      section {
        display: grid;
        gap: 8px;
      }
      ul {
        display: grid;
        gap: 4px;
        list-style: none;
      }
      li {
        display: flex;
        align-items: baseline;
        justify-content: space-between;
        gap: 12px;
      }
      li a {
        overflow-wrap: anywhere;
      }
    `,
  ];

  @property({ attribute: false }) contentId = "";

  private readonly answered = new Poll<AlsoWatched>(this, EVERY_MS);

  protected override willUpdate(): void {
    this.answered.ask(contentPath(this.contentId, "/also-watched?window=7d&limit=5"));
  }

  protected override render() {
    const { answer } = this.answered;
    if (!answer) return nothing;
    return html`
      <section class="card" aria-labelledby="also">
        <h2 id="also">${t("content.also_watched")}</h2>
        ${
          answer.contents.length === 0
            ? html`<p class="quiet">${t("content.also_nothing")}</p>`
            : html`<ul>
                ${answer.contents.map(
                  ({ content_id, title, share }) =>
                    html`<li>
                      <a href=${contentAddress(content_id)}><bdi>${title ?? content_id}</bdi></a>
                      <span class="number quiet">${percent(share)}</span>
                    </li>`,
                )}
              </ul>`
        }
        <p>
          <a href=${address("preferences", new URLSearchParams({ content: this.contentId }))}
            >${t("content.also_all")}</a
          >
        </p>
      </section>
    `;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "gs-also-watched": GsAlsoWatched;
  }
}
