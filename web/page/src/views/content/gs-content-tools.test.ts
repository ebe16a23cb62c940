// @vitest-environment happy-dom
import { beforeAll, describe, expect, it } from "vitest";

import { setLocale } from "../../i18n/locale.ts";
import { local } from "./gs-content-tools.ts";
import "./gs-content-tools.ts";
import { viewOf } from "./view.ts";

beforeAll(() => setLocale("en", false));

const FROM = Date.parse("2026-11-20T18:00:05Z");
const HOUR = 3_600_000;

describe("choosing a stretch of time", () => {
  it("leaves what is typed alone while the picture moves on", async () => {
    const tools = document.createElement("gs-content-tools");
    Object.assign(tools, { view: viewOf(new URLSearchParams()), span: { from: FROM, to: FROM + HOUR } });
    document.body.append(tools);
    await tools.updateComplete;
    tools.shadowRoot?.querySelector<HTMLButtonElement>("[aria-expanded]")?.click();
    await tools.updateComplete;
    const field = tools.shadowRoot?.querySelector<HTMLInputElement>("[name=from]");
    expect(field?.value).toBe(local(FROM));

    if (field) field.value = "2026-11-20T17:30:07";
    tools.span = { from: FROM + 5_000, to: FROM + HOUR + 5_000 };
    await tools.updateComplete;
    expect(field?.value).toBe("2026-11-20T17:30:07");
    tools.remove();
  });
});
