import { beforeAll, describe, expect, it, vi } from "vitest";

import { setLocale } from "../../i18n/locale.ts";
import "./gs-chart-table.ts";
import type { ChartModel } from "./model.ts";

const START = Date.parse("2026-11-20T18:00:00Z");

const model = (seconds: number): ChartModel => ({
  times: [START + seconds * 1_000],
  series: [{ label: "<b>Viewers</b>", values: [seconds], format: String }],
  marks: [],
  stacked: false,
  axis: String,
  steps: null,
  logarithmic: false,
  from: START,
  to: START + 120_000,
});

beforeAll(() => setLocale("en", false));

describe("a chart's table", () => {
  it("announces what is new at most every thirty seconds, and nothing when it is opened", async () => {
    vi.useFakeTimers({ now: START });
    const table = document.createElement("gs-chart-table");
    table.heading = "Concurrent";
    document.body.append(table);
    const said: string[] = [];
    for (let second = 0; second < 65; second++) {
      vi.setSystemTime(START + second * 1_000);
      table.model = model(second);
      await table.updateComplete;
      const text = table.shadowRoot?.querySelector("[role=status]")?.textContent ?? "";
      if (text && said.at(-1) !== text) said.push(text);
    }
    expect(said).toHaveLength(2);
    expect(said[0]).toMatch(/^Concurrent, .*: <b>Viewers<\/b> 30$/);
    table.remove();
  });

  it("shows labels with markup in them as text", async () => {
    const table = document.createElement("gs-chart-table");
    table.model = model(0);
    document.body.append(table);
    await table.updateComplete;
    expect(table.shadowRoot?.querySelector("thead b")).toBeNull();
    expect(table.shadowRoot?.querySelector("thead")?.textContent).toContain("<b>Viewers</b>");
    table.remove();
  });
});
