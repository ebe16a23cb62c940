import { LitElement } from "lit";

import { Localized } from "../i18n/locale.ts";
import { shared } from "../styles/shared.ts";

/** What every element of the page is: localized, and looking like the others. Put own styles after `shared`. */
export class GsElement extends LitElement {
  static override styles = [shared];

  protected readonly localized = new Localized(this);
}
