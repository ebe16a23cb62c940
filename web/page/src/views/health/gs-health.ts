import { html } from "lit";
import { customElement, property } from "lit/decorators.js";

import { t } from "../../i18n/locale.ts";
import { GsElement } from "../../parts/element.ts";

@customElement("gs-health")
export class GsHealth extends GsElement {
  @property({ attribute: false }) parameters = new URLSearchParams();

  protected override render() {
    return html`<h1>${t("health.title")}</h1>`;
  }
}
