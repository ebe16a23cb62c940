import { css, html, nothing } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";

import { setParameters } from "../../app/router.ts";
import { duration, fromTo } from "../../i18n/format.ts";
import { t } from "../../i18n/locale.ts";
import { GsElement } from "../../parts/element.ts";
import type { Span } from "../../parts/chart/gs-chart.ts";
import { shared } from "../../styles/shared.ts";
import { isChoice, RANGES, resolutionOf, STEPS, told, type Range, type View } from "./view.ts";

/** Which stretch of time is shown, whether it stands still, and a link to it. */
@customElement("gs-content-tools")
export class GsContentTools extends GsElement {
  static override styles = [
    shared,
    css`
      :host {
        display: block;
        min-width: 0;
      }
      .tools {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 8px 16px;
      }
      form {
        display: flex;
        flex-wrap: wrap;
        align-items: end;
        gap: 8px;
        margin-block-start: 8px;
      }
      label {
        display: grid;
        gap: 2px;
        font-size: 0.875rem;
      }
      .said {
        min-height: 1.5em;
        margin-block-start: 4px;
        font-size: 0.875rem;
      }
      .wrong {
        color: var(--bad);
      }
      input[readonly] {
        width: min(40rem, 100%);
      }
    `,
  ];

  @property({ attribute: false }) view!: View;
  /** What is shown, ms. */
  @property({ attribute: false }) span!: Span;
  /** The time now, ms. */
  @property({ type: Number }) now = 0;

  /** Whether it goes on: what has ended stands still by itself. */
  @property({ type: Boolean }) moving = false;

  /** What the form begins with: what is shown moves on, what somebody types does not. */
  @state() private choosing: Span | null = null;
  @state() private wrong = false;
  /** The link, where the browser lets nobody copy it; "copied" is said when it did. */
  @state() private link: { address: string; copied: boolean } | null = null;

  @query("[name=from]") private readonly fromField!: HTMLInputElement;
  @query("[name=to]") private readonly toField!: HTMLInputElement;

  protected override render() {
    const { chosen, range } = this.view;
    return html`
      <div class="tools">
        <div class="row" role="group" aria-label=${t("content.range")}>
          ${RANGES.map(
            (one) =>
              html`<button
                type="button"
                aria-pressed=${chosen === null && one === range}
                @click=${() => {
                  this.show(one);
                }}
              >
                ${t(`content.range_${one}`)}
              </button>`,
          )}
          <button
            type="button"
            aria-pressed=${chosen !== null}
            aria-expanded=${this.choosing !== null}
            @click=${this.toggle}
          >
            ${t("content.range_custom")}
          </button>
        </div>
        <div class="row">
          ${this.pauseButton()}
          <button type="button" @click=${this.copy}>${t("content.copy_link")}</button>
        </div>
      </div>
      ${this.choosing ? this.form(this.choosing) : nothing}
      <p class="said quiet">${this.said()}</p>
      <p class="visually-hidden" role="status">${this.link?.copied ? t("content.copied") : ""}</p>
      ${this.link && !this.link.copied ? this.linkField(this.link.address) : nothing}
    `;
  }

  /** One button whatever it does, so that it keeps the focus when it is pressed. */
  private pauseButton() {
    const { chosen, paused } = this.view;
    const still = chosen !== null || paused !== null;
    if (!still && !this.moving) return nothing;
    const name = chosen ? "back_to_live" : still ? "resume" : "pause";
    return html`
      <button
        type="button"
        class=${paused !== null && !chosen ? "primary" : ""}
        @click=${still ? this.resume : this.pause}
      >
        <span aria-hidden="true">${still ? "▶" : "❚❚"}</span> ${t(`content.${name}`)}
      </button>
    `;
  }

  private said(): string {
    const { paused, chosen } = this.view;
    const range = fromTo(this.span.from, this.span.to);
    if (this.link?.copied) return t("content.copied");
    if (!chosen && paused !== null)
      return t("content.paused_new", { time: duration(Math.max(0, this.now - paused)), range });
    return range;
  }

  private form({ from, to }: Span) {
    return html`
      <form @submit=${this.choose}>
        <label>
          ${t("content.from")}
          <input type="datetime-local" name="from" step="1" required .value=${local(from)} />
        </label>
        <label>
          ${t("content.to")}
          <input type="datetime-local" name="to" step="1" required .value=${local(to)} />
        </label>
        <button class="primary">${t("content.show")}</button>
        ${this.wrong ? html`<p class="wrong" role="alert">${t("content.range_wrong")}</p>` : nothing}
      </form>
    `;
  }

  private linkField(address: string) {
    return html`
      <label>
        ${t("content.link")}
        <input
          readonly
          .value=${address}
          @focus=${(event: Event) => {
            (event.target as HTMLInputElement).select();
          }}
        />
      </label>
    `;
  }

  private show(range: Range): void {
    this.link = null;
    setParameters({ range: range === "1h" ? null : range, from: null, to: null, paused: null });
  }

  private toggle(): void {
    this.choosing = this.choosing ? null : this.span;
    this.wrong = false;
  }

  private choose(event: Event): void {
    event.preventDefault();
    const span = { from: Date.parse(this.fromField.value), to: Date.parse(this.toField.value) };
    this.wrong = !isChoice(span);
    if (this.wrong) return;
    this.choosing = null;
    setParameters({ from: told(span.from), to: told(span.to), paused: null });
  }

  /** Stand still at the end of the last window that is over: one that still runs would go on to fill. */
  private pause(): void {
    this.link = null;
    const step = STEPS[resolutionOf(this.span)];
    setParameters({ paused: told(Math.floor(this.now / step) * step) });
  }

  private resume(): void {
    this.link = null;
    setParameters({ paused: null, from: null, to: null });
  }

  /** A link that opens the same stretch of time, whenever it is opened. */
  private async copy(): Promise<void> {
    const [path = "", query = ""] = location.hash.split(/\?(.*)/s);
    const parameters = new URLSearchParams(query);
    for (const name of ["range", "paused"]) parameters.delete(name);
    parameters.set("from", told(this.span.from));
    parameters.set("to", told(this.span.to));
    const address = `${location.origin}${location.pathname}${path}?${parameters.toString()}`;
    try {
      await navigator.clipboard.writeText(address);
      this.link = { address, copied: true };
    } catch {
      this.link = { address, copied: false };
    }
  }
}

/** An instant as a `datetime-local` field holds it: the browser's own time, without a zone. */
export function local(ms: number): string {
  const date = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000);
  return date.toISOString().slice(0, 19);
}

declare global {
  interface HTMLElementTagNameMap {
    "gs-content-tools": GsContentTools;
  }
}
