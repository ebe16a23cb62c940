import uPlot from "uplot";

import { day, clock, shortClock } from "../../i18n/format.ts";
import { places } from "./columns.ts";
import type { Drawing } from "./drawing.ts";
import { drawMarks } from "./marks.ts";
import { dashOf, type ChartSeries } from "./model.ts";
import { colourOf, veiled, type Palette } from "./palette.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const AXIS_PX = 12;
const BAND_OPACITY = 0.22;
const FILL_OPACITY = 0.55;
/** Where the values' axis of a mirrored page stands: uPlot's number for the right; without it, at the left. */
const AT_THE_RIGHT = { side: 1 };
/** uPlot's number for a logarithmic distribution. */
const LOGARITHMIC = { distr: 3 };

/** The values' scale: from zero to a little above the highest, or whole powers of ten about what there is. */
function valueScale({ model }: Drawing): uPlot.Scale {
  if (!model().logarithmic) return { range: (_, __, most) => [0, highest(most, model().marks.length > 0)] };
  return {
    // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- uPlot's enum exists in its types alone
    ...LOGARITHMIC,
    log: 10,
    range: (_, least, most) => uPlot.rangeLog(Math.max(1, least || 1), Math.max(10, most || 10), 10, true),
  };
}

/** uPlot's options; colours and the model are looked up whenever it draws, so that both may change. */
export function optionsOf(drawing: Drawing): uPlot.Options {
  const { model, width, height, scale, mirrored } = drawing;
  const { from, to, series } = model();
  return {
    width,
    height,
    ms: 1,
    // a time at the very edge keeps its room, where no axis stands
    padding: [8, mirrored ? 8 : 36, 0, mirrored ? 36 : 8].map((px) => px * scale) as uPlot.Padding,
    legend: { show: false },
    scales: {
      x: { time: true, auto: false, min: from, max: to },
      y: valueScale(drawing),
    },
    axes: [timeAxis(drawing), valueAxis(drawing)],
    series: [{}, ...series.flatMap((one, index) => lines(drawing, one, index))],
    bands: bands(drawing),
    hooks: {
      draw: [
        (plot) => {
          drawMarks(plot, drawing);
        },
      ],
    },
  };
}

/** Room above the highest value, more where marks are named there. */
const highest = (most: number | null, marked: boolean): number =>
  most !== null && most > 0 ? most * (marked ? 1.2 : 1.08) : 1;

function timeAxis({ colours, scale }: Drawing): uPlot.Axis {
  return {
    ...axisLook(colours, scale),
    size: 32 * scale,
    space: 84 * scale,
    values: (_, splits, __, ___, step) => splits.map((at, index) => instant(at, step, splits[index - 1])),
  };
}

/** A tick's words: as fine as the ticks are, with the day where one begins. */
function instant(at: number, step: number, before: number | undefined): string {
  if (step >= DAY_MS) return day(at);
  const begun = before !== undefined && day(before) !== day(at);
  const time = step < MINUTE_MS ? clock(at) : shortClock(at);
  return begun ? day(at) : time;
}

function valueAxis({ model, colours, scale, mirrored }: Drawing): uPlot.Axis {
  const { steps } = model();
  return {
    ...axisLook(colours, scale),
    // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- uPlot's enum exists in its types alone
    ...(mirrored ? AT_THE_RIGHT : {}),
    space: 36 * scale,
    ...(steps ? { incrs: [...steps] } : {}),
    size: (_, values: string[] | null) =>
      (24 + 7 * Math.max(4, ...(values ?? []).map((text) => text.length))) * scale,
    // on a logarithmic axis uPlot leaves out the words of lines between powers of ten
    values: (_, splits: (number | null)[]) =>
      splits.map((value) => (value === null ? "" : model().axis(value))),
  };
}

const axisLook = (colours: () => Palette, scale: number): uPlot.Axis => ({
  stroke: () => colours().quiet,
  font: `${AXIS_PX * scale}px ${colours().font}`,
  gap: 4 * scale,
  grid: { stroke: () => veiled(colours().line, 0.45), width: scale },
  ticks: { stroke: () => colours().line, width: scale, size: 6 * scale },
});

function lines({ model, colours, scale }: Drawing, series: ChartSeries, index: number): uPlot.Series[] {
  const { stacked } = model();
  const colour = (): string => colourOf(colours(), index);
  const filled = series.style === "bars" || (stacked && index === 0);
  const line: uPlot.Series = {
    stroke: colour,
    width: 2 * scale,
    dash: dashOf(series, index).map((length) => length * scale),
    points: { show: false, filter: alone, size: 5 * scale, fill: colour },
    paths: pathsOf(series.style, scale),
    ...(filled ? { fill: () => veiled(colour(), FILL_OPACITY) } : {}),
  };
  const edge: uPlot.Series = { width: 0, points: { show: false }, paths: pathsOf(series.style, scale) };
  return series.error ? [line, edge, edge] : [line];
}

function pathsOf(style: ChartSeries["style"], scale: number): uPlot.Series.PathBuilder {
  const { bars, stepped, linear } = uPlot.paths;
  const made =
    style === "bars"
      ? bars?.({ align: 1, size: [0.85, 40 * scale] })
      : style === "step"
        ? stepped?.({ align: 1 })
        : linear?.();
  return made ?? (() => null);
}

/** Values that stand alone between unknown ones have no line: they are drawn as points. */
function alone(plot: uPlot, index: number): number[] {
  const values = plot.data[index] ?? [];
  const found: number[] = [];
  for (let at = 0; at < values.length; at++)
    if (values[at] != null && values[at - 1] == null && values[at + 1] == null) found.push(at);
  return found;
}

function bands({ model, colours }: Drawing): uPlot.Band[] {
  const { series, stacked } = model();
  const found = places(series);
  const errors = found.flatMap(({ upper, lower }, index): uPlot.Band[] =>
    upper === null || lower === null || series[index]?.style === "bars"
      ? []
      : [{ series: [upper, lower], fill: () => veiled(colourOf(colours(), index), BAND_OPACITY) }],
  );
  const layers = found.slice(1).map(({ line }, below): uPlot.Band => ({
    series: [line, found[below]?.line ?? line],
    fill: () => veiled(colourOf(colours(), below + 1), FILL_OPACITY),
  }));
  return stacked ? [...layers, ...errors] : errors;
}
