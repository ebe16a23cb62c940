// @vitest-environment node
import { expect, test } from "vitest";

test("the module can be imported where there is no browser", async () => {
  expect(typeof window).toBe("undefined");
  expect(await import("./widgets.ts")).toHaveProperty("GrandstandViewers");
});
