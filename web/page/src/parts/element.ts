import { LitElement } from "lit";

import { connection } from "../api/connection.ts";
import { Localized } from "../i18n/locale.ts";
import { shared } from "../styles/shared.ts";

/** What every element of the page is: localized, and looking like the others. Put own styles after `shared`. */
export class GsElement extends LitElement {
  static override styles = [shared];

  protected readonly localized = new Localized(this);
  private undrawn = false;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.drawn();
  }

  /** An answer of another shape than the page knows must not leave people with what was there before: it is said. */
  protected override performUpdate(): void {
    try {
      super.performUpdate();
      this.drawn();
    } catch (error) {
      this.undrawn = true;
      connection.undrawn(this);
      console.error(error);
    }
  }

  private drawn(): void {
    if (!this.undrawn) return;
    this.undrawn = false;
    connection.left(this);
  }
}
