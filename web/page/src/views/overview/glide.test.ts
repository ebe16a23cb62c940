import { beforeEach, describe, expect, it, vi } from "vitest";

import { glide, placesOf } from "./glide.ts";

describe("rows that change places", () => {
  let reduced = false;

  beforeEach(() => {
    reduced = false;
    vi.stubGlobal("matchMedia", () => ({ matches: reduced }));
  });

  function row(key: string, top: number): HTMLElement {
    const made = document.createElement("tr");
    made.dataset.key = key;
    Object.defineProperty(made, "offsetTop", { value: top });
    made.animate = vi.fn();
    return made;
  }

  const before = placesOf([row("a", 0), row("b", 72)]);

  it("glide from where they stood, and the others stand still", () => {
    const rows = [row("b", 0), row("a", 72), row("new", 144)];
    glide(rows, before);
    expect(rows[0]?.animate).toHaveBeenCalledWith(
      [{ transform: "translateY(72px)" }, { transform: "none" }],
      expect.anything(),
    );
    expect(rows[1]?.animate).toHaveBeenCalled();
    expect(rows[2]?.animate).not.toHaveBeenCalled();
  });

  it("just stand there where motion is unwelcome", () => {
    reduced = true;
    const rows = [row("b", 0), row("a", 72)];
    glide(rows, before);
    for (const each of rows) expect(each.animate).not.toHaveBeenCalled();
  });
});
