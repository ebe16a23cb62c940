import uPlot from "uplot";

import { columns } from "./columns.ts";
import { dashOf, type ChartModel, type Span } from "./model.ts";
import type { Drawing } from "./drawing.ts";
import { optionsOf } from "./options.ts";
import type { Palette } from "./palette.ts";

/** What a plot tells of its pointer. */
export interface Told {
  cursor: (at: number | null) => void;
  dragged: (span: Span) => void;
  reset: () => void;
}

/** What the plot would have to be made anew for. Data, range, colours and labels are not among it. */
export const shapeOf = ({ series, stacked }: ChartModel, mirrored: boolean, language: string): string =>
  JSON.stringify([
    mirrored,
    language,
    stacked,
    series.map((one, index) => [one.style, dashOf(one, index), one.error !== undefined]),
  ]);

/** A chart's canvas: one uPlot that is given new data, never made anew for it, and lets go of its memory at the end. */
export class Plot {
  private readonly plot: uPlot;
  private model: ChartModel;
  private colours: Palette;

  constructor(
    host: HTMLElement,
    model: ChartModel,
    colours: Palette,
    { width, height, mirrored, sync }: Pick<Drawing, "width" | "height" | "mirrored"> & { sync: string },
    told: Told,
  ) {
    this.model = model;
    this.colours = colours;
    const options = optionsOf({
      model: () => this.model,
      colours: () => this.colours,
      width,
      height,
      mirrored,
      scale: colours.size,
    });
    this.plot = new uPlot(
      {
        ...options,
        cursor: cursor(told, sync),
        hooks: {
          ...options.hooks,
          setCursor: [
            ({ cursor: { left = -1 }, posToVal }) => {
              told.cursor(left < 0 ? null : posToVal(left, "x"));
            },
          ],
          setSelect: [
            (chosen) => {
              dragged(chosen, told);
            },
          ],
        },
      },
      columns(model),
      host,
    );
  }

  /** Show other data or another range. */
  show(model: ChartModel): void {
    this.model = model;
    this.plot.batch(() => {
      this.plot.setData(columns(model), false);
      this.plot.setScale("x", { min: model.from, max: model.to });
    });
  }

  paint(colours: Palette): void {
    this.colours = colours;
    this.plot.redraw(false, true);
  }

  resize(width: number, height: number): void {
    this.plot.setSize({ width, height });
  }

  /** Put the cursor at an instant (or nowhere), here and in the charts that share it. */
  point(at: number | null): void {
    const left = at === null ? -10 : this.plot.valToPos(at, "x");
    this.plot.setCursor({ left, top: at === null ? -10 : 0 });
  }

  destroy(): void {
    this.plot.destroy();
    // a canvas keeps its pixels until it is collected; an empty one has none
    this.plot.ctx.canvas.width = this.plot.ctx.canvas.height = 0;
  }
}

const cursor = (told: Told, sync: string): uPlot.Cursor => ({
  y: false,
  drag: { x: true, y: false, setScale: false, dist: 8 },
  points: { size: 7 },
  ...(sync ? { sync: { key: sync, scales: ["x", null], setSeries: false } } : {}),
  bind: {
    dblclick: () => () => {
      told.reset();
      return null;
    },
  },
});

function dragged(plot: uPlot, told: Told): void {
  const { left, width } = plot.select;
  if (width < 1) return;
  const from = Math.round(plot.posToVal(left, "x"));
  const to = Math.round(plot.posToVal(left + width, "x"));
  plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  told.dragged({ from, to });
}

/** A chart's picture by itself, `scale` times as large as on a page, as uPlot draws it. */
export async function pictured(
  model: ChartModel,
  colours: Palette,
  size: Pick<Drawing, "width" | "height" | "mirrored" | "scale">,
): Promise<{ canvas: HTMLCanvasElement; free: () => void }> {
  const drawing = { model: () => model, colours: () => colours, ...size };
  const options = optionsOf(drawing);
  const host = document.createElement("div");
  const plot = await new Promise<uPlot>((resolve) => {
    new uPlot(
      {
        ...options,
        cursor: { show: false },
        hooks: { ...options.hooks, ready: [resolve] },
      },
      columns(model),
      host,
    );
  });
  return {
    canvas: plot.ctx.canvas,
    free: () => {
      plot.destroy();
    },
  };
}
