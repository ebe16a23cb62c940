import type uPlot from "uplot";

import { worded } from "../../i18n/locale.ts";
import type { ChartMark } from "./model.ts";
import type { Drawing } from "./drawing.ts";
import { veiled } from "./palette.ts";

/** A kind's sign: told apart by form, not by colour. */
const SIGNS: Record<string, string> = {
  goal: "●",
  kick_off: "▶",
  half_time: "◐",
  second_half: "▷",
  full_time: "■",
};

export const signOf = (kind: string): string => SIGNS[kind] ?? "◆";

/** What a mark is called: its label, or the name of its kind. */
export const nameOf = ({ kind, label }: ChartMark): string => label || worded("chart.kind_", kind);

const LONGEST = 22;
const ROWS = 3;
const FONT_PX = 11;
/** A narrower plot has no room for names: the signs stand alone. */
const NARROW_PX = 640;

/** Draw each mark as a line with its sign and name, on the first row where there is place; only the sign where there is none. */
export function drawMarks(plot: uPlot, { model, colours, scale: drawnAt }: Drawing): void {
  const { marks, from, to } = model();
  const { ctx, bbox } = plot;
  const { text, ground, font } = colours();
  const px = drawnAt * devicePixelRatio;
  const taken = new Array<number>(ROWS).fill(-Infinity);
  ctx.save();
  ctx.font = `${FONT_PX * px}px ${font}`;
  ctx.textBaseline = "middle";
  ctx.textAlign = "left";
  ctx.strokeStyle = text;
  ctx.lineWidth = px;
  ctx.setLineDash([3 * px, 3 * px]);
  const placed = marks
    .filter(({ at }) => from <= at && at <= to)
    .map((mark) => ({ mark, x: Math.round(bbox.left + ((mark.at - from) / (to - from)) * bbox.width) }));
  // all lines before any name: none runs through one
  for (const { x } of placed) {
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  for (const { mark, x } of placed) {
    const name = `${signOf(mark.kind)} ${shortened(nameOf(mark))}`;
    const row = bbox.width / px < NARROW_PX ? -1 : taken.findIndex((end) => end < x);
    const words = row < 0 ? signOf(mark.kind) : name;
    const width = ctx.measureText(words).width + 8 * px;
    const left = Math.max(bbox.left, Math.min(x, bbox.left + bbox.width - width));
    const top = bbox.top + Math.max(0, row) * 17 * px;
    ctx.fillStyle = veiled(ground, 0.9);
    ctx.fillRect(left, top, width, 16 * px);
    ctx.fillStyle = text;
    ctx.fillText(words, left + 4 * px, top + 8 * px);
    if (row >= 0) taken[row] = left + width;
  }
  ctx.restore();
}

const letters = new Intl.Segmenter(undefined, { granularity: "grapheme" });

function shortened(name: string): string {
  const all = Array.from(letters.segment(name.replace(/\s+/g, " ")), ({ segment }) => segment);
  return all.length > LONGEST ? `${all.slice(0, LONGEST - 1).join("")}…` : all.join("");
}
