import { readFileSync } from "node:fs";
import { runInThisContext } from "node:vm";

import { afterEach, describe, expect, it, vi } from "vitest";

const system = { contrast: false, dark: false, forced: false };
vi.stubGlobal("matchMedia", (query: string) => ({
  get matches() {
    if (query.includes("forced")) return system.forced;
    return query.includes("contrast") ? system.contrast : system.dark;
  },
  addEventListener: () => undefined,
}));
const { applyTheme, setTheme, shownTheme, theme } = await import("./theme.ts");

/** What public/theme.js does before anything else runs. */
function firstPaint(): string | undefined {
  runInThisContext(readFileSync("page/public/theme.js", "utf8"));
  return document.documentElement.dataset.theme;
}

describe("the theme", () => {
  afterEach(() => {
    localStorage.clear();
  });

  it.each([
    ["auto", false, false, "light"],
    ["auto", false, true, "dark"],
    ["auto", true, true, "contrast"],
    ["light", false, true, "light"],
    ["dark", true, false, "dark"],
    ["contrast", false, false, "contrast"],
    ["pink", false, true, "dark"],
  ])("chosen %s (system: more contrast %s, dark %s) is seen as %s from the first paint on", (...given) => {
    const [chosen, contrast, dark, seen] = given;
    Object.assign(system, { contrast, dark });
    localStorage.setItem("grandstand.theme", chosen);
    expect(firstPaint()).toBe(seen);
    expect(shownTheme()).toBe(seen);
  });

  it.each([
    ["light", true, "contrast"],
    ["dark", false, "light"],
  ])("chosen %s gives way to colours that the system forces (dark %s): %s", (chosen, dark, seen) => {
    Object.assign(system, { forced: true, contrast: false, dark });
    localStorage.setItem("grandstand.theme", chosen);
    expect(firstPaint()).toBe(seen);
    expect(shownTheme()).toBe(seen);
    system.forced = false;
  });

  it("is kept, and told to those who draw on canvas", () => {
    const told = vi.fn();
    window.addEventListener("themechange", told, { once: true });
    setTheme("contrast");
    expect(told).toHaveBeenCalledOnce();
    expect(theme()).toBe("contrast");
    expect(document.documentElement.dataset.theme).toBe("contrast");
    applyTheme("light");
    expect(document.documentElement.dataset.theme).toBe("light");
  });
});
