import { css, html } from "lit";
import { customElement, property, query } from "lit/decorators.js";

import { t } from "../i18n/locale.ts";
import { shared } from "../styles/shared.ts";
import { GsElement } from "./element.ts";

/** Asks whether to do something that cannot be undone. */
@customElement("gs-confirm")
export class GsConfirm extends GsElement {
  static override styles = [
    shared,
    css`
      dialog {
        width: min(32rem, 100vw - 32px);
        padding: 0;
        border: 1px solid var(--control-line);
        border-radius: var(--radius);
        background: var(--surface);
        color: var(--text);
      }
      dialog::backdrop {
        background: rgb(0 0 0 / 0.5);
      }
      .question {
        display: grid;
        gap: 12px;
        padding: 20px;
        overflow-wrap: anywhere;
      }
      .row {
        justify-content: end;
      }
    `,
  ];

  @property() heading = "";
  @property() text = "";
  /** What the button says that does it. */
  @property() action = "";

  @query("dialog") private readonly dialog!: HTMLDialogElement;
  private answer: (sure: boolean) => void = () => undefined;

  protected override render() {
    return html`
      <dialog aria-labelledby="heading" aria-describedby="text" @close=${this.closed}>
        <div class="question">
          <h2 id="heading">${this.heading}</h2>
          <p id="text">${this.text}</p>
          <div class="row">
            <button type="button" autofocus @click=${this.refuse}>${t("table.cancel")}</button>
            <button type="button" class="primary" @click=${this.accept}>${this.action}</button>
          </div>
        </div>
      </dialog>
    `;
  }

  /** Open, and say what was chosen; Escape is no. */
  async ask(heading: string, text: string, action: string): Promise<boolean> {
    [this.heading, this.text, this.action] = [heading, text, action];
    await this.updateComplete;
    this.dialog.returnValue = "";
    this.dialog.showModal();
    return new Promise((resolve) => {
      this.answer = resolve;
    });
  }

  private refuse(): void {
    this.dialog.close("");
  }

  private accept(): void {
    this.dialog.close("sure");
  }

  private closed(): void {
    this.answer(this.dialog.returnValue === "sure");
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "gs-confirm": GsConfirm;
  }
}
