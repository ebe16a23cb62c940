import { describe, expect, it } from "vitest";

import { sections } from "./definitions.ts";

describe("what a section of docs/metrics.md says", () => {
  it("keeps tables cell by cell, lists item by item and links as their text", () => {
    const found = sections(
      [
        "## Where errors come from",
        "",
        "| source | size |",
        "|---|---|",
        "| none | 0 |",
        "| a sketch | 0.81% |",
        "",
        "Several add in",
        "[quadrature](https://example.org/).",
        "",
        "- one",
        "  thing",
        "- another",
      ].join("\n"),
    );

    expect(found["Where errors come from"]?.paragraphs).toEqual([
      {
        head: ["source", "size"],
        rows: [
          ["none", "0"],
          ["a sketch", "0.81%"],
        ],
      },
      "Several add in quadrature.",
      ["one thing", "another"],
    ]);
  });

  it("is found by the heading it stands under, of a chapter or of a figure", () => {
    const found = sections(
      "## Top\n\nIn order.\n\n### top: viewers\n\nDistinct.\n\n## Empty\n\n### share\n\nOf all.\n",
    );

    expect(Object.keys(found)).toEqual(["Top", "Top/top: viewers", "top: viewers", "Empty/share", "share"]);
  });
});
