const CSS = `
:host { display: inline-block; position: relative; }
:host([hidden]), [hidden] { display: none !important; }
[part="figure"] { display: inline-flex; align-items: baseline; gap: var(--grandstand-gap, 0.4em); color: var(--grandstand-color, inherit); }
[part="label"]:empty { display: none; }
[part="dot"] { align-self: center; flex: none; inline-size: 0.55em; block-size: 0.55em; border-radius: 50%; background: var(--grandstand-dot-color, currentColor); }
[part="count"] { font-variant-numeric: tabular-nums; font-weight: var(--grandstand-count-weight, bold); }
[part~="unknown"] [part="dot"] { background: none; box-shadow: inset 0 0 0 0.12em currentColor; }
[part="announcer"] { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@keyframes breathe { 50% { opacity: 0.35; } }
@media (prefers-reduced-motion: no-preference) {
  [part~="live"] [part="dot"] { animation: breathe 2.4s ease-in-out infinite; }
}
@media (forced-colors: active) { [part~="live"] [part="dot"] { forced-color-adjust: none; background: CanvasText; } }
`;

let sheet: CSSStyleSheet | undefined;

/** One sheet for all elements. Constructed, since a page's policy may forbid style elements. */
export function styleSheet(): CSSStyleSheet {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
  }
  return sheet;
}
