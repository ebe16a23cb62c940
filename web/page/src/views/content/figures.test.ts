import { render } from "lit";
import { beforeAll, describe, expect, it } from "vitest";

import type { AudienceWindow } from "../../api/types.ts";
import { setLocale } from "../../i18n/locale.ts";
import { peakOf, viewersFigure, type Moment } from "./figures.ts";

beforeAll(() => setLocale("en", false));

const START = Date.parse("2026-11-20T18:00:00Z");
const windows = [100, 4_000, 4_000, 0].map(
  (concurrent, nth) =>
    ({
      start: new Date(START + nth * 60_000).toISOString(),
      concurrent,
      concurrent_error: 9,
    }) as AudienceWindow,
);

function figure(moment: Moment) {
  const place = document.createElement("div");
  render(viewersFigure(moment, windows, null, START + 240_000), place);
  return place.querySelector("gs-figure");
}

describe("the figure of a content's viewers", () => {
  it("is the most at once where it has ended: at its very end nobody watches", () => {
    expect(figure("peak")?.label).toBe("Peak");
    expect(figure("peak")?.value).toBe("4,000");
    expect(peakOf(windows)?.start).toBe("2026-11-20T18:01:00.000Z");
    expect(peakOf([])).toBeUndefined();
  });

  it("is that of the end of a view that stands still, and not known before the first answer", () => {
    expect(figure("then")?.value).toBe("0");
    expect(figure("now")?.value).toBe("–");
  });

  it("leads to where its error comes from", () => {
    expect(figure("then")?.errorDefinition).toBe("concurrent_error");
  });
});
