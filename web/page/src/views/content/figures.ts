import { html, type TemplateResult } from "lit";

import type { AudienceWindow, Now } from "../../api/types.ts";
import {
  bitrate,
  count,
  dayAndClock,
  duration,
  error,
  percent,
  shortClock,
  UNKNOWN,
} from "../../i18n/format.ts";
import { t, type MessageKey } from "../../i18n/locale.ts";
import type { Span } from "../../parts/chart/gs-chart.ts";
import "../../parts/gs-figure.ts";
import { left } from "./curves.ts";

/** A figure of the last whole minute. */
interface Figure {
  label: MessageKey;
  definition: string;
  value: (window: AudienceWindow) => string;
}

/** How many watch now; in a view that stands still, at its end; of what has ended, the most at once. */
export type Moment = "now" | "then" | "peak";

const VIEWERS: Record<Moment, MessageKey> = {
  now: "content.concurrent",
  then: "content.concurrent_then",
  peak: "overview.peak",
};

/** The viewers at such a moment of what is shown; `until` is where that ends, ms. */
export function viewersFigure(
  moment: Moment,
  windows: AudienceWindow[],
  now: Now | null,
  until: number,
): TemplateResult {
  const window = moment === "peak" ? peakOf(windows) : windows.at(-1);
  const shown = moment === "now" ? now : window;
  const at = moment === "peak" && window ? Date.parse(window.start) : until;
  return html`<gs-figure
    class="large"
    label=${t(VIEWERS[moment])}
    definition="concurrent"
    value=${count(shown?.concurrent)}
    .error=${error(shown?.concurrent_error)}
    error-definition="concurrent_error"
    detail=${moment === "now" ? t("content.now") : dayAndClock(at)}
  ></gs-figure>`;
}

/** The window with the most viewers at once, the first of several. */
export const peakOf = (windows: AudienceWindow[]): AudienceWindow | undefined =>
  windows.reduce<AudienceWindow | undefined>(
    (most, window) => (most && most.concurrent >= window.concurrent ? most : window),
    undefined,
  );

/** What the last whole minute tells, beside the viewers. */
const FIGURES: Figure[] = [
  { label: "content.joins", definition: "events", value: ({ events }) => count(events.join ?? 0) },
  { label: "content.leaves", definition: "events", value: ({ events }) => count(left(events)) },
  {
    label: "content.engagement",
    definition: "engagement_rate",
    value: (window) => percent(window.engagement_rate),
  },
  { label: "content.watched", definition: "watched_ms", value: (window) => duration(window.watched_ms) },
  {
    label: "content.rebuffering",
    definition: "rebuffering_ratio",
    value: (window) => percent(window.rebuffering_ratio),
  },
  {
    label: "content.startup_p50",
    definition: "startup_ms_p50",
    value: (window) => duration(window.startup_ms_p50),
  },
  {
    label: "content.startup_p95",
    definition: "startup_ms_p95",
    value: (window) => duration(window.startup_ms_p95),
  },
  { label: "content.bitrate", definition: "bitrate_kbps", value: (window) => bitrate(window.bitrate_kbps) },
  { label: "content.errors", definition: "errors", value: (window) => count(window.errors) },
];

/** The figures of a minute, each beside that of the minute before. */
export const minuteFigures = (
  { from, to }: Span,
  minute: AudienceWindow | undefined,
  before: AudienceWindow | undefined,
) => html`
  ${FIGURES.map(
    ({ label, definition, value }) =>
      html`<gs-figure
        label=${t(label)}
        definition=${definition}
        value=${minute ? value(minute) : UNKNOWN}
        detail=${t("content.before", { value: before ? value(before) : UNKNOWN })}
      ></gs-figure>`,
  )}
  <p class="caption quiet">${t("content.last_minute", { from: shortClock(from), to: shortClock(to) })}</p>
`;
