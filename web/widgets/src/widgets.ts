import { GrandstandViewers } from "./viewers.ts";

export { GrandstandViewers };

if (typeof customElements !== "undefined" && !customElements.get("grandstand-viewers")) {
  customElements.define("grandstand-viewers", GrandstandViewers);
}
