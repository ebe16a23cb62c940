import { html } from "lit";
import { customElement, property } from "lit/decorators.js";

import { t } from "../i18n/locale.ts";
import { GsElement } from "../parts/element.ts";

@customElement("gs-sign-in")
export class GsSignIn extends GsElement {
  @property({ attribute: false }) parameters = new URLSearchParams();

  protected override render() {
    return html`<h1>${t("shell.sign_in")}</h1>`;
  }
}
