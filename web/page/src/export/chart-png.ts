import { fromTo } from "../i18n/format.ts";
import { direction } from "../i18n/locale.ts";
import { dashOf, type ChartModel } from "../parts/chart/model.ts";
import { colourOf, type Palette } from "../parts/chart/palette.ts";
import { pictured } from "../parts/chart/plot.ts";
import type { Titled } from "./chart-csv.ts";

const SCALE = 2;
const WIDTH = 960;
const PLOT_HEIGHT = 360;
const EDGE = 24;
const TITLE_PX = 20;
const TEXT_PX = 13;
const LINE_PX = 22;
const SWATCH = 28;

/**
 * A chart's picture on the theme's ground, twice as large as on a page: its title, what it is of and for when, the legend,
 * the curves. All words are drawn as text on a canvas: markup in them is never read.
 */
export async function chartPng(titled: Titled, model: ChartModel, colours: Palette): Promise<Blob> {
  const mirrored = direction() === "rtl";
  const plot = await pictured(model, colours, {
    width: ((WIDTH - 2 * EDGE) * SCALE) / devicePixelRatio,
    height: (PLOT_HEIGHT * SCALE) / devicePixelRatio,
    scale: SCALE / devicePixelRatio,
    mirrored,
  });
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d");
  if (!context) throw new Error("This browser gives no canvas to draw on.");
  context.font = `${TEXT_PX}px ${colours.font}`;
  const legend = legendRows(context, model);
  const plotTop = EDGE + TITLE_PX + 8 + LINE_PX + legend.length * LINE_PX + 8;
  canvas.width = WIDTH * SCALE;
  canvas.height = (plotTop + PLOT_HEIGHT + EDGE) * SCALE;

  context.scale(SCALE, SCALE);
  context.fillStyle = colours.ground;
  context.fillRect(0, 0, WIDTH, canvas.height);
  context.textBaseline = "top";
  context.direction = direction();
  context.textAlign = "start";
  const start = mirrored ? WIDTH - EDGE : EDGE;
  words(context, titled.heading, start, EDGE, colours.text, `650 ${TITLE_PX}px ${colours.font}`);
  const about = [titled.subject, fromTo(model.from, model.to)].filter(Boolean).join(" · ");
  const font = `${TEXT_PX}px ${colours.font}`;
  words(context, about, start, EDGE + TITLE_PX + 8, colours.quiet, font);
  legend.forEach((row, line) => {
    const top = EDGE + TITLE_PX + 8 + LINE_PX + line * LINE_PX;
    for (const entry of row) drawEntry(context, entry, model, colours, top, mirrored);
  });
  context.drawImage(plot.canvas, EDGE, plotTop, WIDTH - 2 * EDGE, PLOT_HEIGHT);
  plot.free();
  return blobOf(canvas);
}

interface Entry {
  index: number;
  /** From the edge where lines begin. */
  offset: number;
}

/** The legend's entries, a row for as many as fit beside each other. */
function legendRows(context: CanvasRenderingContext2D, { series }: ChartModel): Entry[][] {
  const rows: Entry[][] = [[]];
  let offset = 0;
  series.forEach(({ label }, index) => {
    const width = SWATCH + 8 + context.measureText(label).width + 24;
    if (offset > 0 && offset + width > WIDTH - 2 * EDGE) {
      rows.push([]);
      offset = 0;
    }
    rows.at(-1)?.push({ index, offset });
    offset += width;
  });
  return rows;
}

function drawEntry(
  context: CanvasRenderingContext2D,
  { index, offset }: Entry,
  { series }: ChartModel,
  colours: Palette,
  top: number,
  mirrored: boolean,
): void {
  const one = series[index];
  if (!one) return;
  const along = (distance: number): number => (mirrored ? WIDTH - EDGE - distance : EDGE + distance);
  context.save();
  context.strokeStyle = colourOf(colours, index);
  context.lineWidth = one.style === "bars" ? 8 : 2.5;
  context.setLineDash(dashOf(one, index));
  context.beginPath();
  context.moveTo(along(offset), top + TEXT_PX / 2);
  context.lineTo(along(offset + SWATCH), top + TEXT_PX / 2);
  context.stroke();
  context.restore();
  words(context, one.label, along(offset + SWATCH + 8), top, colours.text, `${TEXT_PX}px ${colours.font}`);
}

function words(
  context: CanvasRenderingContext2D,
  text: string,
  x: number,
  y: number,
  colour: string,
  font: string,
): void {
  context.font = font;
  context.fillStyle = colour;
  context.fillText(text, x, y, WIDTH - 2 * EDGE);
}

const blobOf = (canvas: HTMLCanvasElement): Promise<Blob> =>
  new Promise((resolve, reject) => {
    canvas.toBlob((blob) => {
      if (blob) resolve(blob);
      else reject(new Error("The browser made no picture of the chart."));
    }, "image/png");
  });
