import { css, html } from "lit";
import { customElement, property, query } from "lit/decorators.js";

import { t, worded } from "../../i18n/locale.ts";
import { GsElement } from "../../parts/element.ts";
import { shared } from "../../styles/shared.ts";
import { told } from "./view.ts";

const KINDS = ["goal", "kick_off", "half_time", "second_half", "full_time", "other"] as const;

/** A moment to mark; now where it does not say when. */
export interface NewMark {
  kind: string;
  label: string;
  at?: string;
}

/** What a moment was, what it is called, and when it was. Sends `mark` (NewMark), or `leave`. */
@customElement("gs-mark-form")
export class GsMarkForm extends GsElement {
  static override styles = [
    shared,
    css`
      :host {
        display: block;
      }
      form {
        display: grid;
        gap: 10px;
      }
      form > label {
        display: grid;
        gap: 2px;
        font-size: 0.875rem;
      }
      fieldset {
        display: grid;
        gap: 4px;
        min-width: 0;
        margin: 0;
        padding: 0;
        border: 0;
      }
      .choice {
        display: flex;
        align-items: center;
        gap: 8px;
        min-height: 24px;
      }
      .choice input {
        min-height: 18px;
      }
    `,
  ];

  /** The moment that was pointed at in a chart, ms, and its words; null where none was. */
  @property({ attribute: false }) pointed: { at: number; words: string } | null = null;
  /** Whether that is the moment to mark, unless one says otherwise. */
  @property({ type: Boolean }) pointing = false;
  @property({ type: Boolean }) busy = false;

  @query("form") private readonly form!: HTMLFormElement;
  @query("[name=kind]") private readonly kindField!: HTMLSelectElement;

  protected override render() {
    return html`
      <form @submit=${this.submit} @keydown=${this.pressed}>
        <label>
          ${t("content.mark_kind")}
          <select name="kind">
            ${KINDS.map((kind) => html`<option value=${kind}>${worded("chart.kind_", kind)}</option>`)}
          </select>
        </label>
        <label>
          ${t("content.mark_label")}
          <input name="label" maxlength="200" autocomplete="off" />
        </label>
        <fieldset>
          <legend class="quiet">${t("content.mark_when")}</legend>
          <label class="choice">
            <input type="radio" name="when" value="now" ?checked=${!this.pointing} />
            ${t("content.mark_now")}
          </label>
          <label class="choice">
            <input
              type="radio"
              name="when"
              value="pointed"
              ?disabled=${this.pointed === null}
              ?checked=${this.pointing}
            />
            ${
              this.pointed === null
                ? t("content.mark_cursor_none")
                : t("content.mark_cursor", { time: this.pointed.words })
            }
          </label>
        </fieldset>
        <div class="row">
          <button class="primary" ?disabled=${this.busy}>${t("content.mark_save")}</button>
          <button type="button" @click=${this.leave}>${t("table.cancel")}</button>
        </div>
      </form>
    `;
  }

  override focus(): void {
    this.kindField.focus();
  }

  private submit(event: Event): void {
    event.preventDefault();
    const fields = new FormData(this.form);
    const text = (name: string): string => fields.get(name) as string;
    const detail: NewMark = { kind: text("kind"), label: text("label").trim() };
    if (text("when") === "pointed" && this.pointed) detail.at = told(this.pointed.at);
    this.dispatchEvent(new CustomEvent<NewMark>("mark", { detail }));
  }

  private pressed(event: KeyboardEvent): void {
    if (event.key === "Escape") this.leave();
  }

  private leave(): void {
    this.dispatchEvent(new CustomEvent("leave"));
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "gs-mark-form": GsMarkForm;
  }
}
