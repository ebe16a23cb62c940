/** A content that can be chosen. */
export interface Titled {
  content_id: string;
  title: string | null;
}

/** What each content is called in the list: its title; its id beside it where another has the same title. */
export function names(contents: Titled[]): Map<string, string> {
  const titles = new Map<string, string>();
  for (const { content_id, title } of contents)
    if (!titles.get(content_id)) titles.set(content_id, title ?? "");
  const times = new Map<string, number>();
  for (const title of titles.values()) times.set(title, (times.get(title) ?? 0) + 1);
  return new Map(
    [...titles].map(([id, title]) => {
      if (!title) return [id, id];
      return [id, times.get(title) === 1 && !titles.has(title) ? title : `${title} (${id})`];
    }),
  );
}

/** The content that was meant: one of the list by its name there or its id, else the words as an id. */
export function meant(words: string, listed: Map<string, string>): string | null {
  const said = words.trim();
  if (said === "") return null;
  const id = [...listed].find(([, name]) => name === said)?.[0];
  return id ?? said;
}
