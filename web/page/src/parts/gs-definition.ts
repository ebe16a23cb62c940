import { css, html, nothing } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";

import type { Block, Definition } from "../../../plugins/definitions.ts";
import { t } from "../i18n/locale.ts";
import { shared } from "../styles/shared.ts";
import { told } from "./definition-text.ts";
import { GsElement } from "./element.ts";

/** The section of docs/metrics.md on how far figures may be off. */
const ERRORS = "Where errors come from";

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
      :host {
        display: inline-block;
      }
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
        width: min(44rem, 100vw - 32px);
        max-height: calc(100vh - 32px);
        padding: 0;
        border: 1px solid var(--control-line);
        border-radius: var(--radius);
        background: var(--surface);
        color: var(--text);
        font: 400 1rem/1.5 var(--font);
        text-align: start;
        white-space: normal;
      }
      dialog::backdrop {
        background: rgb(0 0 0 / 0.5);
      }
      header {
        position: sticky;
        inset-block-start: 0;
        display: flex;
        align-items: start;
        justify-content: space-between;
        gap: 16px;
        padding: 16px 20px 8px;
        background: var(--surface);
      }
      .text,
      .prose {
        display: grid;
        gap: 12px;
        overflow-wrap: anywhere;
      }
      .text {
        padding: 0 20px 20px;
      }
      .prose ul {
        padding-inline-start: 20px;
      }
      summary {
        min-height: 24px;
        width: fit-content;
        color: var(--accent);
        cursor: pointer;
      }
      details .prose {
        padding-block-start: 8px;
      }
      table {
        display: block;
        overflow-x: auto;
        font-size: 0.875rem;
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
  /** How far figures may be off, where this one may. */
  @state() private errors: Block[] = [];

  protected override render() {
    return html`
      <button class="what" type="button" aria-haspopup="dialog" @click=${this.open}>
        <span aria-hidden="true">?</span>
        <span class="visually-hidden">${t("shell.definition_of", { figure: this.label })}</span>
      </button>
      <dialog aria-labelledby="title" @click=${this.closeOutside}>
        <header>
          <h2 id="title">${this.label}</h2>
          <button type="button" autofocus @click=${this.close}>${t("shell.close")}</button>
        </header>
        ${this.definition ? this.text(this.definition) : html`<p class="text">${t("definition.unreachable")}</p>`}
      </dialog>
    `;
  }

  private text({ section, name, paragraphs }: Definition) {
    return html`
      <div class="text">
        <div class="prose" lang="en" dir="ltr">
          <p class="quiet">${section} · <code>${name}</code></p>
          ${told(paragraphs)}
        </div>
        ${
          this.errors.length > 0
            ? html`<details>
                <summary>${t("definition.errors")}</summary>
                <div class="prose" lang="en" dir="ltr">${told(this.errors)}</div>
              </details>`
            : nothing
        }
      </div>
    `;
  }

  private async open(): Promise<void> {
    const definitions = await import("virtual:definitions").then(
      (module) => module.default,
      () => null, // no network, or a newer page is deployed: the dialog says so
    );
    if (definitions) this.show(definitions);
    await this.updateComplete;
    this.dialog.showModal();
  }

  private show(definitions: Record<string, Definition>): void {
    const definition = definitions[this.name];
    if (!definition) throw new Error(`docs/metrics.md has no section called ${this.name}`);
    this.definition = definition;
    const erring =
      `${this.name}_error` in definitions ||
      /_error\b|standard error/.test(JSON.stringify([definition.name, definition.paragraphs]));
    this.errors = erring ? (definitions[ERRORS]?.paragraphs ?? []) : [];
  }

  private close(): void {
    this.dialog.close();
  }

  private closeOutside(event: MouseEvent): void {
    if (event.target === this.dialog) this.close();
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "gs-definition": GsDefinition;
  }
}
