import { readFileSync } from "node:fs";
import { join } from "node:path";

import type { Plugin } from "vite";

const MODULE = "virtual:definitions";

/** A table of docs/metrics.md, cell by cell. */
export interface Table {
  head: string[];
  rows: string[][];
}

/** A paragraph as it is written, the items of a list, or a table. Links are told by their text alone. */
export type Block = string | string[] | Table;

/** A section of docs/metrics.md: where it stands, its heading, what it says. */
export interface Definition {
  section: string;
  name: string;
  paragraphs: Block[];
}

/** `virtual:definitions`: every section of docs/metrics.md by its figure's name, the same text. */
export function definitions(file = join(import.meta.dirname, "../../docs/metrics.md")): Plugin {
  return {
    name: "grandstand-definitions",
    resolveId: (id) => (id === MODULE ? `\0${MODULE}` : undefined),
    load(id) {
      if (id !== `\0${MODULE}`) return undefined;
      this.addWatchFile(file);
      return `export default ${JSON.stringify(sections(readFileSync(file, "utf8")))}`;
    },
  };
}

/**
 * The sections by key: what stands under a heading `## Name` itself is `Name`; a heading `### name` is `name`, `### now: viewers, concurrent` is `now: viewers` and
 * `now: concurrent`, `### a, b` is `a` and `b`. A name that two sections have belongs to the first of them, and to the
 * others as `{Section}/{name}`.
 */
export function sections(markdown: string): Record<string, Definition> {
  const found: Record<string, Definition> = {};
  let section = "";
  for (const block of markdown.split(/^(?=#{2,3} )/m)) {
    const [heading = "", ...rest] = block.split("\n");
    const title = heading.replace(/^#+ /, "").trim();
    const paragraphs = blocksOf(rest.join("\n"));
    if (heading.startsWith("## ")) {
      section = title;
      if (paragraphs.length > 0) found[title] = { section, name: title, paragraphs };
    }
    if (!heading.startsWith("### ")) continue;
    for (const name of namesOf(title)) {
      const definition = { section, name: title, paragraphs };
      found[`${section}/${name}`] = definition;
      found[name] ??= definition;
    }
  }
  return found;
}

function blocksOf(markdown: string): Block[] {
  return markdown
    .replace(/\[([^\]]+)\]\([^)]*\)/g, "$1")
    .split(/\n{2,}/)
    .map((text) => text.trim())
    .filter(Boolean)
    .map((text) => {
      if (text.startsWith("|")) return tableOf(text);
      if (text.startsWith("- ")) return text.slice(2).split(/\n- /).map(oneLine);
      return oneLine(text);
    });
}

const oneLine = (text: string): string => text.replace(/\s*\n\s*/g, " ").trim();

function tableOf(text: string): Table {
  const [head = [], , ...rows] = text.split("\n").map((line) =>
    line
      .replace(/^\s*\||\|\s*$/g, "")
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim()),
  );
  return { head, rows };
}

function namesOf(title: string): string[] {
  const [, prefix = "", names = title] = /^(\w+: )(.*)$/.exec(title) ?? [];
  return names.split(/,\s*/).map((name) => prefix + name);
}
