/** The theme's colours, for canvases, which have no CSS. */
export interface Palette {
  ground: string;
  text: string;
  quiet: string;
  line: string;
  series: string[];
  font: string;
  /** How much larger than usual the page's letters are: on a wall screen, or as a person set them. */
  size: number;
}

const SERIES = 8;
const USUAL_PX = 16;

/** The colours of the theme that is drawn now. */
export function palette(): Palette {
  const style = getComputedStyle(document.documentElement);
  const token = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    ground: token("surface"),
    text: token("text"),
    quiet: token("quiet"),
    line: token("line"),
    series: Array.from({ length: SERIES }, (_, index) => token(`series-${index + 1}`)),
    font: token("font") || "sans-serif",
    size: (parseFloat(style.fontSize) || USUAL_PX) / USUAL_PX,
  };
}

/** The colour of a curve. */
export const colourOf = (colours: Palette, index: number): string =>
  colours.series[index % SERIES] ?? colours.text;

/** A colour `#rrggbb` or `#rgb`, see-through. */
export function veiled(colour: string, opacity: number): string {
  const full = colour.replace(/^#([0-9a-f])([0-9a-f])([0-9a-f])$/i, "#$1$1$2$2$3$3");
  if (!/^#[0-9a-f]{6}$/i.test(full)) return colour;
  const alpha = Math.round(opacity * 255);
  return full + alpha.toString(16).padStart(2, "0");
}
