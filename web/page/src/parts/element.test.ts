import { html } from "lit";
import { customElement, property } from "lit/decorators.js";
import { describe, expect, it, vi } from "vitest";

import { connection } from "../api/connection.ts";
import { GsElement } from "./element.ts";

@customElement("gs-element-test")
class Figures extends GsElement {
  @property({ attribute: false }) answer: { live?: string[] } = { live: ["final"] };

  protected override render() {
    return html`${this.answer.live?.length.toFixed() ?? broken()}`;
  }
}

function broken(): never {
  throw new TypeError("there is no `live`");
}

describe("a part that is given an answer of another version's shape", () => {
  it("says that the page should be loaded anew, until an answer can be drawn or the part is gone", async () => {
    const told = vi.spyOn(console, "error").mockReturnValue();
    const part = new Figures();
    document.body.append(part);
    await part.updateComplete;
    expect(connection.fault).toBeNull();

    part.answer = {};
    await part.updateComplete;
    expect(connection.fault?.outage).toBe("not_loaded");

    part.answer = { live: [] };
    await part.updateComplete;
    expect(connection.fault).toBeNull();

    part.answer = {};
    await part.updateComplete;
    part.remove();
    expect(connection.fault).toBeNull();
    expect(told).toHaveBeenCalledTimes(2);
  });
});
