import { recall, remember } from "./remembered.ts";

/** `auto` follows the system: its dark mode, and its wish for more contrast. */
export const THEMES = ["auto", "light", "dark", "contrast"] as const;
export type Theme = (typeof THEMES)[number];

/** The theme that was chosen. */
export const theme = (): Theme => THEMES.find((one) => one === recall("theme")) ?? "auto";

/** Draw the page in the chosen theme. `themechange` is sent on window: canvases have no CSS and must be told. */
export function applyTheme(chosen: Theme = theme()): void {
  document.documentElement.dataset.theme = chosen;
  window.dispatchEvent(new Event("themechange"));
}

/** Choose a theme, and keep it. */
export function setTheme(chosen: Theme): void {
  remember("theme", chosen);
  applyTheme(chosen);
}

for (const query of ["(prefers-color-scheme: dark)", "(prefers-contrast: more)"])
  matchMedia(query).addEventListener("change", () => {
    applyTheme();
  });
