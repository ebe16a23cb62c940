import { css, html, nothing } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";

import type { Definition } from "../../../plugins/definitions.ts";
import { t } from "../i18n/locale.ts";
import { shared } from "../styles/shared.ts";
import { GsElement } from "./element.ts";

/**
 * The "what is this figure?" button, and the dialog it opens: the figure's section of docs/metrics.md, the same text.
 *
 * `name` is the section's key (plugins/definitions.ts); `label` is what the page calls the figure.
 */
@customElement("gs-definition")
export class GsDefinition extends GsElement {
  static override styles = [
    shared,
    css`
      button.what {
        min-height: 24px;
        min-width: 24px;
        padding: 0;
        border-radius: 50%;
        color: var(--quiet);
        font-size: 0.8125rem;
        line-height: 1;
      }
      dialog {
        max-width: min(40rem, calc(100vw - 32px));
        padding: 20px;
        border: 1px solid var(--control-line);
        border-radius: var(--radius);
        background: var(--surface);
        color: var(--text);
      }
      dialog::backdrop {
        background: rgb(0 0 0 / 0.5);
      }
      .text {
        display: grid;
        gap: 12px;
        margin-block: 12px 16px;
      }
      code {
        padding: 0 4px;
        border-radius: 4px;
        background: var(--raised);
      }
    `,
  ];

  @property() name = "";
  @property() label = "";

  @query("dialog") private readonly dialog!: HTMLDialogElement;
  @state() private definition: Definition | null = null;

  protected override render() {
    return html`
      <button class="what" type="button" aria-haspopup="dialog" @click=${this.open}>
        <span aria-hidden="true">?</span>
        <span class="visually-hidden">${t("shell.definition_of", { figure: this.label })}</span>
      </button>
      <dialog aria-labelledby="title" @click=${this.closeOutside}>
        ${this.definition ? this.told(this.definition) : nothing}
      </dialog>
    `;
  }

  private told(definition: Definition) {
    return html`
      <h2 id="title">${this.label}</h2>
      <div class="text" lang="en" dir="ltr">
        <p class="quiet">${definition.section} · <code>${definition.name}</code></p>
        ${definition.paragraphs.map((paragraph) => html`<p>${withCode(paragraph)}</p>`)}
      </div>
      <button type="button" class="primary" autofocus @click=${this.close}>${t("shell.close")}</button>
    `;
  }

  private async open(): Promise<void> {
    const { default: definitions } = await import("virtual:definitions");
    const definition = definitions[this.name];
    if (!definition) throw new Error(`docs/metrics.md has no section called ${this.name}`);
    this.definition = definition;
    await this.updateComplete;
    this.dialog.showModal();
  }

  private close(): void {
    this.dialog.close();
  }

  private closeOutside(event: MouseEvent): void {
    if (event.target === this.dialog) this.close();
  }
}

/** Markdown's `code` and **strong**; everything else is text as it stands. */
function withCode(paragraph: string) {
  return paragraph.split(/(`[^`]+`|\*\*[^*]+\*\*)/).map((part) => {
    if (part.startsWith("`")) return html`<code>${part.slice(1, -1)}</code>`;
    if (part.startsWith("**")) return html`<strong>${part.slice(2, -2)}</strong>`;
    return part;
  });
}

declare global {
  interface HTMLElementTagNameMap {
    "gs-definition": GsDefinition;
  }
}
