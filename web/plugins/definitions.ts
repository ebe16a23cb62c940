import { readFileSync } from "node:fs";
import { join } from "node:path";

import type { Plugin } from "vite";

const MODULE = "virtual:definitions";

/** A section of docs/metrics.md: where it stands, its heading, its paragraphs as they are written. */
export interface Definition {
  section: string;
  name: string;
  paragraphs: string[];
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
 * The sections by key: a heading `### name` is `name`, `### now: viewers, concurrent` is `now: viewers` and
 * `now: concurrent`, `### a, b` is `a` and `b`. A name that two sections have belongs to the first of them, and to the
 * others as `{Section}/{name}`.
 */
export function sections(markdown: string): Record<string, Definition> {
  const found: Record<string, Definition> = {};
  let section = "";
  for (const block of markdown.split(/^(?=#{2,3} )/m)) {
    const [heading = "", ...rest] = block.split("\n");
    const title = heading.replace(/^#+ /, "").trim();
    if (heading.startsWith("## ")) section = title;
    if (!heading.startsWith("### ")) continue;
    const paragraphs = rest
      .join("\n")
      .split(/\n{2,}/)
      .map((text) => text.replace(/\s*\n\s*/g, " ").trim())
      .filter(Boolean);
    for (const name of namesOf(title)) {
      const definition = { section, name: title, paragraphs };
      found[`${section}/${name}`] = definition;
      found[name] ??= definition;
    }
  }
  return found;
}

function namesOf(title: string): string[] {
  const [, prefix = "", names = title] = /^(\w+: )(.*)$/.exec(title) ?? [];
  return names.split(/,\s*/).map((name) => prefix + name);
}
