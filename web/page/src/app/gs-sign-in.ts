import { css, html, nothing } from "lit";
import { customElement, query, state } from "lit/decorators.js";

import { Failed } from "../api/client.ts";
import { credential, setCredential } from "../api/credential.ts";
import { t } from "../i18n/locale.ts";
import { GsElement } from "../parts/element.ts";
import { stateOf } from "../parts/gs-state.ts";
import { shared } from "../styles/shared.ts";
import { accessOf, type Access } from "./access.ts";
import { address } from "./router.ts";

/** A key is entered here, tried against the API, and kept for this tab when it opens something. */
@customElement("gs-sign-in")
export class GsSignIn extends GsElement {
  static override styles = [
    shared,
    css`
      :host {
        display: block;
        max-width: 36rem;
        margin-inline: auto;
      }
      .card,
      form {
        display: grid;
        gap: 12px;
      }
      .card {
        margin-block: 24px;
        padding: 24px;
      }
      .entry {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
      }
      input {
        flex: 1 1 14rem;
        min-width: 0;
        font-family: ui-monospace, monospace;
      }
      .outcome {
        min-height: 3em;
      }
    `,
  ];

  @query("input") private readonly input!: HTMLInputElement | null;
  /** What the key that was tried last opens; null before any was. */
  @state() private access: Access | null = null;
  @state() private failed: Failed | null = null;
  @state() private trying = false;

  override connectedCallback(): void {
    super.connectedCallback();
    void this.look();
  }

  /** Say how things are: signed in already, or no key needed. */
  private async look(): Promise<void> {
    const kept = credential();
    const access = await this.attempt(kept);
    // nobody entered the key that is not there
    if (kept === null && access === "unknown") this.access = null;
  }

  private async attempt(key: string | null): Promise<Access | null> {
    this.trying = true;
    this.failed = null;
    try {
      this.access = await accessOf(key);
      return this.access;
    } catch (error) {
      this.access = null;
      this.failed = error instanceof Failed ? error : new Failed("refused", String(error));
      return null;
    } finally {
      this.trying = false;
    }
  }

  protected override render() {
    return html`
      <div class="card">
        <h1>${t("shell.sign_in")}</h1>
        <p>${t("shell.keys_text")}</p>
        <form @submit=${this.submit}>
          <label for="key">${t("shell.key")}</label>
          <div class="entry">
            <input
              id="key"
              type="password"
              autocomplete="off"
              autocapitalize="off"
              spellcheck="false"
              dir="ltr"
              required
              aria-describedby="kept"
            />
            <button class="primary" type="submit" ?disabled=${this.trying}>${t("shell.sign_in")}</button>
          </div>
          <p id="kept" class="quiet">${t("shell.key_kept")}</p>
        </form>
        <div class="outcome" role="status">${this.outcome()}</div>
      </div>
    `;
  }

  private outcome() {
    if (this.trying) return t("shell.key_trying");
    if (this.failed) return stateOf(this.failed);
    if (this.access === null) return nothing;
    const opens = ["open", "operator", "public"].includes(this.access);
    return html`
      <p><span aria-hidden="true">${opens ? "✓" : "⚠"}</span> ${t(`shell.access_${this.access}`)}</p>
      ${opens ? html`<p><a href=${address("overview")}>${t("shell.to_overview")}</a></p>` : nothing}
    `;
  }

  private async submit(event: Event): Promise<void> {
    event.preventDefault();
    const key = this.input?.value.trim() ?? "";
    const access = await this.attempt(key);
    if (access === "operator" || access === "public") setCredential(key);
    if (access !== null && this.input) this.input.value = "";
    this.input?.focus();
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "gs-sign-in": GsSignIn;
  }
}
