interface Point {
  x: number;
  y: number;
}

/** The SVG path of a curve in a square of 100 × 100; it breaks where a value is null. */
export const lineOf = (values: (number | null)[]): string =>
  // a lone point is a line of no length, which round caps make a dot
  runsOf(values)
    .map((run) => (run.length === 1 ? `${through(run)} h0` : through(run)))
    .join(" ");

/** The SVG path of what is under such a curve. */
export const areaOf = (values: (number | null)[]): string =>
  runsOf(values)
    .map((run) => `${through(run)} L${run.at(-1)?.x ?? 0} 100 L${run[0]?.x ?? 0} 100 Z`)
    .join(" ");

const through = (run: Point[]): string => `M${run.map(({ x, y }) => `${x} ${y}`).join(" L")}`;

function runsOf(values: (number | null)[]): Point[][] {
  const most = Math.max(1, ...values.map((value) => value ?? 0));
  const runs: Point[][] = [[]];
  values.forEach((value, index) => {
    if (value === null) runs.push([]);
    else
      runs.at(-1)?.push({
        x: rounded((100 * index) / Math.max(1, values.length - 1)),
        y: rounded(100 - (100 * value) / most),
      });
  });
  return runs.filter((run) => run.length > 0);
}

const rounded = (value: number): number => Math.round(value * 100) / 100;
