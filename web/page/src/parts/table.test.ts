import { render } from "lit";
import { beforeAll, describe, expect, it } from "vitest";

import { setLocale } from "../i18n/locale.ts";
import { table, tableCsv, type Column } from "./table.ts";

interface Row {
  title: string;
  viewers: number;
}

const columns: Column<Row>[] = [
  { label: "Content", shown: (row) => row.title, raw: (row) => row.title },
  { label: "Viewers", number: true, shown: (row) => `${row.viewers} people`, raw: (row) => row.viewers },
  { label: "Id", raw: () => "=1+1" },
];
const rows = [{ title: "<img src=x onerror=alert(1)>", viewers: 12 }];

describe("a table", () => {
  beforeAll(() => setLocale("en", false));

  it("shows what comes from outside as text, each row under its first cell's name", () => {
    const place = document.createElement("div");
    render(table("Top", columns, rows), place);

    expect(place.querySelector("img")).toBeNull();
    expect(place.querySelector("tbody th[scope=row]")?.textContent).toBe("<img src=x onerror=alert(1)>");
    expect([...place.querySelectorAll("th[scope=col]")].map((cell) => cell.textContent.trim())).toEqual([
      "Content",
      "Viewers",
    ]);
  });

  it("exports plain values, the columns that are not shown too, and nothing that runs", () => {
    expect(tableCsv("Top", columns, rows, [["Time", "7d"]])).toBe(
      "\uFEFFTop\r\nTime,7d\r\nContent,Viewers,Id\r\n<img src=x onerror=alert(1)>,12,'=1+1\r\n",
    );
  });
});
