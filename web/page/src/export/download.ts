/** Hand a file to the person: their browser saves it as `name`. */
export function download(name: string, type: string, content: BlobPart): void {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // the browser has begun to read by then
  setTimeout(() => {
    URL.revokeObjectURL(url);
  }, 10_000);
}

const LONGEST = 100;

/** A file's name made of words from outside: letters and digits of any script, everything else becomes a dash. */
export function fileName(words: string[], extension: string): string {
  const stem = words
    .map((word) => word.normalize("NFC").replace(/[^\p{Letter}\p{Mark}\p{Number}]+/gu, "-"))
    .join("-")
    .replace(/-{2,}/g, "-")
    .slice(0, LONGEST)
    .replace(/^-|-$/g, "");
  return `${stem || "grandstand"}.${extension}`;
}
