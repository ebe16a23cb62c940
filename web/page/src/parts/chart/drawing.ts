import type { ChartModel } from "./model.ts";
import type { Palette } from "./palette.ts";

/** What a plot is drawn with. `scale` is how many times larger than on the page (an export's picture). */
export interface Drawing {
  model: () => ChartModel;
  colours: () => Palette;
  width: number;
  height: number;
  scale: number;
  /** The page reads from right to left: the values' axis stands where lines begin. */
  mirrored: boolean;
}
