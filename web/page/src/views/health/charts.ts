import { html } from "lit";

import type { Health } from "../../api/types.ts";
import { count, duration } from "../../i18n/format.ts";
import { t } from "../../i18n/locale.ts";
import "../../parts/chart/gs-chart.ts";
import type { ChartSeries } from "../../parts/chart/model.ts";
import { perSecond } from "./verdict.ts";
import { functionName } from "./words.ts";

type Recent = Health["recent"];
type Curve = keyof Recent["functions"][string];

/** The last ten minutes: events in and out of each function, lag, what waits. */
export function charts({ recent }: Health) {
  const from = Date.parse(recent.from);
  const stepMs = recent.step_seconds * 1_000;
  const times = recent.event_to_visible_ms_p50.map((_, index) => from + index * stepMs);
  const to = from + times.length * stepMs;
  return [
    {
      heading: t("health.chart_in"),
      definition: "Health/events_in_per_second",
      series: curves(recent, "events_in_per_second", perSecond),
    },
    {
      heading: t("health.chart_out"),
      definition: "Health/events_out_per_second",
      series: curves(recent, "events_out_per_second", perSecond),
    },
    {
      heading: t("health.chart_lag"),
      definition: "Health/event_to_visible_ms_p99",
      axis: duration,
      logarithmic: true,
      series: [
        { label: t("health.p50"), values: recent.event_to_visible_ms_p50, format: duration, unit: "ms" },
        { label: t("health.p99"), values: recent.event_to_visible_ms_p99, format: duration, unit: "ms" },
      ],
    },
    {
      heading: t("health.chart_waiting"),
      definition: "Health/waiting",
      series: curves(recent, "waiting", count),
    },
  ].map(
    ({ heading, definition, series, axis, logarithmic }) => html`
      <div class="card">
        <gs-chart
          heading=${heading}
          definition=${definition}
          .times=${times}
          .series=${series}
          .from=${from}
          .to=${to}
          .axis=${axis ?? count}
          ?logarithmic=${logarithmic}
          filename=${heading}
          summary=${summary(series)}
          sync="health"
        ></gs-chart>
      </div>
    `,
  );
}

/** A curve for each function that counts such a thing. */
const curves = (recent: Recent, curve: Curve, format: (value: number | null) => string): ChartSeries[] =>
  Object.entries(recent.functions)
    .filter(([, told]) => told[curve].some((value) => value !== null))
    .map(([name, told]) => ({ label: functionName(name), values: told[curve], format }));

/** What each curve says last, in one sentence. */
function summary(series: ChartSeries[]): string {
  const told = series.map(({ label, values, format }) =>
    t("health.figure", { label, value: format(values.findLast((value) => value !== null) ?? null) }),
  );
  return told.length > 0 ? told.join(", ") : t("health.chart_nothing");
}
