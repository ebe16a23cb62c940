import { firstFrom, nearest, zoomed, type ChartModel, type Span } from "./model.ts";

/** What a key does to a chart. */
export type Deed = { move: number } | { zoom: Span } | { reset: true };

const FAR = 10;
const CLOSER = 0.5;

/** What a key press asks for; null where it is none of the chart's. Time goes from left to right in every language. */
export function deedOf(
  event: Pick<KeyboardEvent, "key" | "shiftKey" | "ctrlKey" | "metaKey" | "altKey">,
  model: ChartModel,
  cursor: number | null,
): Deed | null {
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  if (event.key === "Escape") return { reset: true };
  const about = cursor ?? (model.from + model.to) / 2;
  if (event.key === "+" || event.key === "=") return { zoom: zoomed(model, CLOSER, about) };
  if (event.key === "-" || event.key === "_") return { zoom: zoomed(model, 1 / CLOSER, about) };
  const move = moved(event, model, cursor);
  return move === null ? null : { move };
}

function moved(
  { key, shiftKey }: Pick<KeyboardEvent, "key" | "shiftKey">,
  { times, from, to }: ChartModel,
  cursor: number | null,
): number | null {
  const first = firstFrom(times, from);
  const last = firstFrom(times, to) - 1;
  if (last < first) return null;
  const now = cursor === null ? null : nearest(times, cursor);
  const by = (steps: number): number => (now === null ? last : now + steps);
  const wanted: Partial<Record<string, number>> = {
    ArrowLeft: by(shiftKey ? -FAR : -1),
    ArrowDown: by(-1),
    ArrowRight: by(shiftKey ? FAR : 1),
    ArrowUp: by(1),
    PageDown: by(-FAR),
    PageUp: by(FAR),
    Home: first,
    End: last,
  };
  const at = wanted[key];
  return at === undefined ? null : (times[Math.max(first, Math.min(last, at))] ?? null);
}
