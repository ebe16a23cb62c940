import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { csv } from "./csv.ts";
import { fileName } from "./download.ts";

describe("a table as CSV", () => {
  it("begins with a byte order mark and ends each line with CR LF", () => {
    expect(csv([["Top contents"], ["title", "viewers"], ["Final", 12]])).toBe(
      "\uFEFFTop contents\r\ntitle,viewers\r\nFinal,12\r\n",
    );
  });

  it("quotes what would break a line or a cell", () => {
    expect(csv([['say "hi", you\nthere']])).toBe('\uFEFF"say ""hi"", you\nthere"\r\n');
  });

  it.each(["=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "＝1"])(
    "never lets %j be run as a formula",
    (text) => {
      expect(csv([[text]])).toMatch(/^\uFEFF"?'/);
    },
  );

  it("leaves negative numbers numbers, and unknown ones empty", () => {
    expect(csv([[-1.5, "-3", 1e-7, null]])).toBe("\uFEFF-1.5,-3,1e-7,\r\n");
  });

  it("is read back as it was written, but for the apostrophes", () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.string(), { minLength: 2, maxLength: 2 }), { maxLength: 5 }),
        (rows) => {
          const read = parsed(csv(rows).slice(1));
          expect(read.map((row) => row.map((cell) => cell.replace(/^'/, "")))).toEqual(
            rows.map((row) => row.map((cell) => cell.replace(/^'/, ""))),
          );
        },
      ),
    );
  });
});

describe("a file's name", () => {
  it("holds no sign that a file system minds", () => {
    expect(fileName(["Top contents", "../../etc/passwd", "7d"], "csv")).toBe(
      "Top-contents-etc-passwd-7d.csv",
    );
    expect(fileName(["\u0000/", "..."], "png")).toBe("grandstand.png");
    expect(fileName(["مباراة النهائي"], "csv")).toBe("مباراة-النهائي.csv");
  });
});

/** RFC 4180 by its grammar, sign by sign. */
function parsed(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = "";
  let quoted = false;
  for (let i = 0; i < text.length; i += 1) {
    const sign = text.charAt(i);
    if (quoted) {
      if (sign !== '"') cell += sign;
      else if (text.charAt(i + 1) === '"') cell += text.charAt((i += 1));
      else quoted = false;
    } else if (sign === '"') quoted = true;
    else if (sign === ",") [row, cell] = [[...row, cell], ""];
    else if (sign === "\r") {
      rows.push([...row, cell]);
      [row, cell] = [[], ""];
      i += 1;
    } else cell += sign;
  }
  return rows;
}
