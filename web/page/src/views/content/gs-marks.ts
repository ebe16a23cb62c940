import { css, html, nothing } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";

import { change, contentPath, Failed } from "../../api/client.ts";
import type { Mark } from "../../api/types.ts";
import { recall, remember } from "../../app/remembered.ts";
import { clock, dayAndClock } from "../../i18n/format.ts";
import { locale, t, worded } from "../../i18n/locale.ts";
import { nameOf, signOf } from "../../parts/chart/marks.ts";
import { GsElement } from "../../parts/element.ts";
import { shared } from "../../styles/shared.ts";
import "./gs-mark-form.ts";
import type { GsMarkForm, NewMark } from "./gs-mark-form.ts";

const KEY = "m";
const DAY_MS = 86_400_000;

/**
 * The content's marked moments, and a form that marks one: now, or where one pointed in a chart.
 *
 * The key `m` opens it; as letters that act may be in the way of speech input, it can be switched off (WCAG 2.1.4).
 * Sends `markschange` when the marks have changed.
 */
@customElement("gs-marks")
export class GsMarks extends GsElement {
  static override styles = [
    shared,
    css`
      :host {
        display: block;
        min-width: 0;
      }
      section {
        display: grid;
        gap: 12px;
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
      ul {
        display: grid;
        gap: 4px;
        max-height: 26rem;
        overflow-y: auto;
        list-style: none;
      }
      li {
        display: grid;
        grid-template-columns: auto minmax(0, 1fr) auto;
        align-items: center;
        gap: 8px;
      }
      li span {
        overflow-wrap: anywhere;
      }
      li button {
        min-height: 28px;
        padding: 0 8px;
        font-size: 0.875rem;
      }
      .wrong {
        color: var(--bad);
      }
    `,
  ];

  @property({ attribute: false }) contentId = "";
  @property({ attribute: false }) marks: Mark[] = [];
  /** Where one pointed last in a chart, ms; null where nobody has. */
  @property({ attribute: false }) cursor: number | null = null;
  /** Whether one points there now. */
  @property({ type: Boolean }) pointing = false;
  @property({ type: Number }) now = 0;

  @state() private open = false;
  @state() private failed: Failed | null = null;
  @state() private said = "";
  @state() private deleted: Mark | null = null;
  @state() private busy = false;
  @state() private byKey = recall("mark-key") !== "off";

  @query("gs-mark-form") private readonly form!: GsMarkForm;
  @query("#mark") private readonly button!: HTMLButtonElement;
  /** The moment that was pointed at when the form was opened: on the way to it one points at many. */
  private pointed: { at: number; words: string } | null = null;
  private marksPointed = false;
  /** What has the focus after what was sent; "" where it stays. */
  private next = "";

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener("keydown", this.pressed);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("keydown", this.pressed);
  }

  protected override render() {
    return html`
      <section class="card" aria-labelledby="marks">
        <h2 id="marks">${t("content.marks")}</h2>
        <div>
          <button
            id="mark"
            type="button"
            class=${this.open ? "" : "primary"}
            aria-expanded=${this.open}
            @click=${this.toggle}
          >
            ${t("content.mark")}
          </button>
        </div>
        ${
          this.open
            ? html`<gs-mark-form
                .pointed=${this.pointed}
                ?pointing=${this.marksPointed}
                ?busy=${this.busy}
                @mark=${this.add}
                @leave=${this.toggle}
              ></gs-mark-form>`
            : nothing
        }
        ${this.failed ? this.told(this.failed) : nothing}
        <p role="status" class="row">
          ${this.said}
          ${
            this.deleted
              ? html`<button id="undo" type="button" @click=${this.undo}>${t("content.mark_undo")}</button>`
              : nothing
          }
        </p>
        ${this.list()}
        <label class="choice quiet">
          <input type="checkbox" .checked=${this.byKey} @change=${this.chooseKey} />
          ${t("content.mark_key", { key: KEY })}
        </label>
      </section>
    `;
  }

  private list() {
    if (this.marks.length === 0) return html`<p class="quiet">${t("content.marks_none")}</p>`;
    return html`
      <ul tabindex="0" aria-labelledby="marks">
        ${repeat(
          [...this.marks].reverse(),
          ({ mark_id }) => mark_id,
          (mark) => this.entry(mark),
        )}
      </ul>
    `;
  }

  private entry(mark: Mark) {
    const name = nameOf({ ...mark, at: 0 });
    const kind = worded("chart.kind_", mark.kind);
    return html`
      <li>
        <span class="number quiet">${this.time(Date.parse(mark.at))}</span>
        <span>
          <span aria-hidden="true">${signOf(mark.kind)}</span> <bdi>${name}</bdi>
          ${mark.label && !sameWords(mark.label, kind) ? html`<span class="quiet">(<bdi>${kind}</bdi>)</span>` : nothing}
        </span>
        <button
          type="button"
          ?disabled=${this.busy}
          aria-label=${t("content.mark_delete_of", { name })}
          @click=${() => this.forget(mark)}
        >
          ${t("content.mark_delete")}
        </button>
      </li>
    `;
  }

  private told(failed: Failed) {
    const locked = ["sign-in", "forbidden"].includes(failed.trouble);
    return html`
      <p class="wrong" role="alert">
        ${t(locked ? "content.mark_locked" : "content.mark_failed")}
        ${locked ? html`<a href="#/sign-in">${t("shell.sign_in")}</a>` : html`<bdi lang="en">${failed.detail}</bdi>`}
      </p>
    `;
  }

  private time(ms: number): string {
    return Math.abs(this.now - ms) < DAY_MS ? clock(ms) : dayAndClock(ms);
  }

  private readonly pressed = (event: KeyboardEvent): void => {
    const typing = event
      .composedPath()
      .some(
        (one) =>
          one instanceof HTMLElement &&
          (one.isContentEditable || one.matches("input, select, textarea, dialog")),
      );
    if (!this.byKey || typing || event.defaultPrevented || event.repeat) return;
    if (event.key.toLowerCase() !== KEY || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    if (!this.open) void this.toggle();
    else this.form.focus();
  };

  private async toggle(): Promise<void> {
    this.open = !this.open;
    this.failed = null;
    this.pointed = this.cursor === null ? null : { at: this.cursor, words: this.time(this.cursor) };
    this.marksPointed = this.pointing && this.pointed !== null;
    await this.updateComplete;
    if (!this.open) {
      this.button.focus();
      return;
    }
    await this.form.updateComplete;
    this.form.focus();
  }

  private add(event: CustomEvent<NewMark>): Promise<void> {
    return this.send(async () => {
      const made = await change<Mark>("POST", contentPath(this.contentId, "/marks"), event.detail);
      this.deleted = null;
      this.said = t("content.mark_added", { name: nameOf({ ...made, at: 0 }) });
      await this.toggle();
    });
  }

  private forget(mark: Mark): Promise<void> {
    return this.send(async () => {
      await change("DELETE", this.addressOf(mark));
      this.deleted = mark;
      this.said = t("content.mark_deleted", { name: nameOf({ ...mark, at: 0 }) });
      this.next = "#undo"; // the button that was pressed goes with its mark
    });
  }

  /** A mark comes back under its own id, as it was. */
  private undo(): Promise<void> {
    const mark = this.deleted;
    if (!mark) return Promise.resolve();
    return this.send(async () => {
      const { at, kind, label } = mark;
      await change("PUT", this.addressOf(mark), { at, kind, label });
      this.deleted = null;
      this.said = t("content.mark_restored", { name: nameOf({ ...mark, at: 0 }) });
      this.next = "#mark";
    });
  }

  private async send(work: () => Promise<void>): Promise<void> {
    this.busy = true;
    this.failed = null;
    try {
      await work();
      this.dispatchEvent(new CustomEvent("markschange"));
    } catch (error) {
      this.failed = error instanceof Failed ? error : new Failed("refused", String(error));
    } finally {
      this.busy = false;
    }
    await this.updateComplete;
    if (this.next) this.renderRoot.querySelector<HTMLElement>(this.next)?.focus();
    this.next = "";
  }

  private addressOf({ mark_id }: Mark): string {
    return contentPath(this.contentId, `/marks/${encodeURIComponent(mark_id)}`);
  }

  private chooseKey(event: Event): void {
    this.byKey = (event.target as HTMLInputElement).checked;
    remember("mark-key", this.byKey ? "on" : "off");
  }
}

/** Whether a label only says what its kind is called: “Kick-off”, “kick off”. */
const sameWords = (label: string, kind: string): boolean =>
  label.localeCompare(kind, locale(), { sensitivity: "base", ignorePunctuation: true }) === 0;

declare global {
  interface HTMLElementTagNameMap {
    "gs-marks": GsMarks;
  }
}
