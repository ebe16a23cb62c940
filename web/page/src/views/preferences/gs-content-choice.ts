import { css, html } from "lit";
import { customElement, property } from "lit/decorators.js";

import { t } from "../../i18n/locale.ts";
import { GsElement } from "../../parts/element.ts";
import { shared } from "../../styles/shared.ts";
import { meant, names, type Titled } from "./choice.ts";

/** Chooses a content by title or id. Sends `choose` ({contentId: string | null}); null is none in particular. */
@customElement("gs-content-choice")
export class GsContentChoice extends GsElement {
  static override styles = [
    shared,
    css`
      :host {
        display: block;
        min-width: 0;
      }
      label {
        display: grid;
        gap: 4px;
        color: var(--quiet);
        font-size: 0.875rem;
      }
      input {
        width: 100%;
        font-size: 1rem;
      }
    `,
  ];

  @property({ attribute: false }) contents: Titled[] = [];
  @property() chosen = "";

  protected override render() {
    const listed = names(this.contents);
    return html`
      <label>
        ${t("preferences.content")}
        <input
          type="search"
          list="contents"
          autocomplete="off"
          spellcheck="false"
          dir="auto"
          placeholder=${t("preferences.content_hint")}
          .value=${listed.get(this.chosen) ?? this.chosen}
          @focus=${select}
          @change=${this.choose}
        />
      </label>
      <datalist id="contents">
        ${[...listed].map(([id, name]) => html`<option value=${name}>${id === name ? "" : id}</option>`)}
      </datalist>
    `;
  }

  private choose(event: Event): void {
    const contentId = meant((event.target as HTMLInputElement).value, names(this.contents));
    this.dispatchEvent(new CustomEvent("choose", { detail: { contentId } }));
  }
}

const select = (event: Event): void => {
  (event.target as HTMLInputElement).select();
};

declare global {
  interface HTMLElementTagNameMap {
    "gs-content-choice": GsContentChoice;
  }
}
