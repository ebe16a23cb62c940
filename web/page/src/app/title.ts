/** Name what is looked at in the tab and the history. */
export function setTitle(text: string): void {
  document.title = `${text} · Grandstand`;
}
