const GLIDE_MS = 250;

/** Where each row stands, by its key. */
export const placesOf = (rows: Iterable<HTMLElement>): Map<string, number> =>
  new Map([...rows].map((row) => [row.dataset.key ?? "", row.offsetTop]));

/** Let rows that have another place now glide there from the one they had; where motion is unwelcome, they just stand. */
export function glide(rows: Iterable<HTMLElement>, before: Map<string, number>): void {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  for (const row of rows) {
    const by = (before.get(row.dataset.key ?? "") ?? row.offsetTop) - row.offsetTop;
    if (by !== 0)
      row.animate([{ transform: `translateY(${by}px)` }, { transform: "none" }], {
        duration: GLIDE_MS,
        easing: "ease-out",
      });
  }
}
