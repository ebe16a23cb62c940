import { recall, remember } from "./remembered.ts";

/** `auto` follows the system: its wish for more contrast, and its dark mode. */
export const THEMES = ["auto", "light", "dark", "contrast"] as const;
export type Theme = (typeof THEMES)[number];

const contrast = matchMedia("(prefers-contrast: more)");
const dark = matchMedia("(prefers-color-scheme: dark)");
const forced = matchMedia("(forced-colors: active)");

/** The theme that was chosen. */
export const theme = (): Theme => THEMES.find((one) => one === recall("theme")) ?? "auto";

/** The theme that is seen: public/theme.js draws the first paint by the same rule. */
export function shownTheme(chosen: Theme = theme()): Exclude<Theme, "auto"> {
  // the system's own colours replace ours, only canvases and drawings must be seen on them
  if (forced.matches) return dark.matches ? "contrast" : "light";
  if (chosen !== "auto") return chosen;
  if (contrast.matches) return "contrast";
  return dark.matches ? "dark" : "light";
}

/** Draw the page in the chosen theme. `themechange` is sent on window: canvases have no CSS and must be told. */
export function applyTheme(chosen: Theme = theme()): void {
  document.documentElement.dataset.theme = shownTheme(chosen);
  window.dispatchEvent(new Event("themechange"));
}

/** Choose a theme, and keep it. */
export function setTheme(chosen: Theme): void {
  remember("theme", chosen);
  applyTheme(chosen);
}

for (const query of [contrast, dark, forced])
  query.addEventListener("change", () => {
    applyTheme();
  });
