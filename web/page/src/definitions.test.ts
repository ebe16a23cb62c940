import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { sections } from "../../plugins/definitions.ts";

const SOURCE = import.meta.dirname;
const METRICS = readFileSync(join(SOURCE, "../../../docs/metrics.md"), "utf8");

/** Where the source names a section: `definition="…"`, `error-definition: "…"`, `<gs-definition name="…"`. */
const NAMED = /(?:\b[a-zA-Z-]*[dD]efinition(?:=|: )|<gs-definition\s+name=)["`]([^"`]+)["`]/g;

describe("every figure of the page", () => {
  const sources = readdirSync(SOURCE, { recursive: true, encoding: "utf8" }).filter(
    (file) => file.endsWith(".ts") && !file.endsWith(".test.ts"),
  );
  const named = sources.flatMap((file) =>
    [...readFileSync(join(SOURCE, file), "utf8").matchAll(NAMED)].map(([, name = ""]) => [name, file]),
  );

  it.each(named)("%s (%s) is defined in docs/metrics.md", (name) => {
    const pattern = new RegExp(`^${name.replace(/\$\{.*?\}/g, ".+")}$`);
    expect(Object.keys(sections(METRICS)).filter((key) => pattern.test(key))).not.toEqual([]);
  });

  it("is looked for where figures are", () => {
    expect(named.length).toBeGreaterThan(8);
  });
});
