import { css, html, nothing } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";

import { Failed } from "../../api/client.ts";
import { Poll } from "../../api/poll.ts";
import type { Letter, Letters } from "../../api/types.ts";
import { count } from "../../i18n/format.ts";
import { t } from "../../i18n/locale.ts";
import { GsElement } from "../../parts/element.ts";
import "../../parts/gs-confirm.ts";
import type { GsConfirm } from "../../parts/gs-confirm.ts";
import "../../parts/gs-definition.ts";
import { stateOf } from "../../parts/gs-state.ts";
import { exportButton, table, tableStyles } from "../../parts/table.ts";
import { shared } from "../../styles/shared.ts";
import { letterColumns } from "./letter-columns.ts";
import { grouped, keyOf, type LetterGroup } from "./letters.ts";
import { letterPage, outcome, replay, type Outcome } from "./replay.ts";
import { stateStyles } from "./styles.ts";
import { functionName } from "./words.ts";

const PAGE = 200;
/** Letters of a group that are listed; exports hold all. */
const LISTED = 50;

/** Records that could not be handled, by function and reason, and the buttons that hand them over again. */
@customElement("gs-dead-letters")
export class GsDeadLetters extends GsElement {
  static override styles = [
    shared,
    tableStyles,
    stateStyles,
    css`
      :host {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        align-content: start;
        gap: 12px;
      }
      .head {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        justify-content: space-between;
        gap: 8px;
      }
      .groups {
        display: grid;
        gap: 8px;
        list-style: none;
      }
      .group {
        display: grid;
        grid-template-columns: minmax(0, 1fr) auto;
        align-items: start;
        gap: 8px;
        padding-block-start: 8px;
        border-block-start: 1px solid var(--line);
      }
      .opens {
        border-color: transparent;
        background: none;
        text-align: start;
      }
      .letters {
        grid-column: 1 / -1;
        min-width: 0;
      }
      .letters .scrolling {
        max-height: 24rem;
        overflow-y: auto;
      }
      code {
        font-size: 0.8125rem;
      }
      .record {
        display: block;
        min-width: 9rem;
      }
      [role="status"] ul {
        padding-inline-start: 20px;
      }
      code,
      bdi {
        overflow-wrap: anywhere;
      }
    `,
  ];

  /** How many records wait in all, as far as is known. */
  @property({ type: Number }) total: number | null = null;

  @state() private more: Letters | null = null;
  /** The groups whose letters are listed. */
  @state() private open: ReadonlySet<string> = new Set();
  @state() private working = false;
  @state() private told: Outcome | null = null;
  @query(".told") private readonly status!: HTMLElement;
  @query("gs-confirm") private readonly confirm!: GsConfirm;

  private readonly poll = new Poll<Letters>(this, 10_000);

  private get letters(): Letter[] {
    return [...(this.poll.answer?.letters ?? []), ...(this.more?.letters ?? [])];
  }

  protected override willUpdate(): void {
    this.poll.ask(`/v1/dead-letters?limit=${PAGE}`);
  }

  protected override render() {
    const groups = grouped(this.letters);
    const name = t("health.dead_letters");
    return html`
      <div class="head">
        <h2>${name} <gs-definition name="dead_letters" label=${name}></gs-definition></h2>
        <div class="row">
          <button type="button" ?disabled=${this.working || groups.length === 0} @click=${this.replayAll}>
            ${t("health.replay_all")}
          </button>
          ${exportButton(name, letterColumns(), this.letters)}
        </div>
      </div>
      <div class="told" role="status" tabindex="-1">${this.told ? outcome(this.told) : nothing}</div>
      ${this.poll.answer ? this.listed(groups) : this.unanswered()}
      <gs-confirm></gs-confirm>
    `;
  }

  private unanswered() {
    const { failed } = this.poll;
    return failed ? stateOf(failed) : html`<p role="status">${t("states.loading_title")}</p>`;
  }

  private listed(groups: LetterGroup[]) {
    const next = (this.more ?? this.poll.answer)?.next ?? null;
    if (groups.length === 0)
      return html`<p class="good"><span aria-hidden="true">✓</span> ${t("health.no_dead_letters")}</p>`;
    return html`
      <ul class="groups">
        ${repeat(groups, keyOf, (group) => this.group(group))}
      </ul>
      ${next === null ? nothing : this.further(next)}
    `;
  }

  private group(group: LetterGroup) {
    const { letters, reason } = group;
    const name = functionName(group.function);
    const key = keyOf(group);
    const open = this.open.has(key);
    return html`
      <li class="group">
        <button
          type="button"
          class="opens"
          aria-expanded=${open}
          @click=${() => {
            this.toggle(key);
          }}
        >
          <span aria-hidden="true">${open ? "▾" : "▸"}</span>
          <strong class="number">${count(letters.length)}</strong> · <bdi>${name}</bdi> ·
          <bdi lang="en">${reason}</bdi>
        </button>
        <button
          type="button"
          aria-label=${t("health.replay_these_of", { function: name, reason })}
          ?disabled=${this.working}
          @click=${() => this.replayGroup(group)}
        >
          ${t("health.replay_these")}
        </button>
        ${open ? this.opened(group, t("health.letters_of", { function: name, reason })) : nothing}
      </li>
    `;
  }

  private opened({ letters }: LetterGroup, title: string) {
    return html`
      <div class="letters">
        ${table(title, letterColumns(), letters.slice(0, LISTED))}
        ${
          letters.length > LISTED
            ? html`<p class="quiet">${t("health.newest_of", { count: letters.length, listed: LISTED })}</p>`
            : nothing
        }
      </div>
    `;
  }

  private toggle(key: string): void {
    const open = new Set(this.open);
    if (!open.delete(key)) open.add(key);
    this.open = open;
  }

  private further(cursor: string) {
    return html`
      <p class="row">
        <span class="quiet">
          ${
            this.total === null
              ? t("health.shown", { count: this.letters.length })
              : t("health.shown_of", { count: this.letters.length, total: this.total })
          }
        </span>
        <button type="button" ?disabled=${this.working} @click=${() => this.showMore(cursor)}>
          ${t("health.show_more")}
        </button>
      </p>
    `;
  }

  private async showMore(cursor: string): Promise<void> {
    await this.work(async () => {
      const page = await letterPage(cursor);
      this.more = { letters: [...(this.more?.letters ?? []), ...page.letters], next: page.next };
    });
  }

  private async replayGroup({ letters }: LetterGroup): Promise<void> {
    const ids = letters.map((letter) => letter.record_id);
    await this.replayIfSure(ids, t("health.replay_sure", { count: ids.length }));
  }

  private async replayAll(): Promise<void> {
    const known = this.total ?? this.letters.length;
    await this.replayIfSure(null, t("health.replay_all_sure", { count: known }));
  }

  private async replayIfSure(ids: string[] | null, question: string): Promise<void> {
    if (!(await this.confirm.ask(question, t("health.replay_text"), t("health.replay")))) return;
    await this.work(async () => {
      this.told = await replay(ids);
      this.more = null;
      this.poll.again();
    });
    await this.updateComplete;
    this.status.focus(); // the button may be gone with its group
  }

  /** Do something that takes a while; what goes wrong is told. */
  private async work(deed: () => Promise<void>): Promise<void> {
    this.working = true;
    this.told = null;
    try {
      await deed();
    } catch (error) {
      if (!(error instanceof Failed)) throw error;
      this.told = { replayed: 0, refused: [], failed: error };
    } finally {
      this.working = false;
    }
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "gs-dead-letters": GsDeadLetters;
  }
}
