import { styleSheet } from "./style.ts";

/** The elements in the shadow of a widget, each under its name as a part. */
export interface Parts {
  root: HTMLElement;
  figure: HTMLElement;
  label: HTMLElement;
  text: HTMLElement;
  count: HTMLElement;
  placeholder: HTMLElement;
  announcer: HTMLElement;
}

/** Made node by node, which every content security policy allows, that on Trusted Types too. */
export function makeParts(shadow: ShadowRoot): Parts {
  shadow.adoptedStyleSheets = [styleSheet()];
  const dot = part("dot");
  dot.ariaHidden = "true";
  const label = part("label");
  const text = part("text");
  const count = part("count");
  const figure = part("figure", dot, label, text);
  const placeholder = document.createElement("slot");
  const root = part("root", figure, placeholder);
  const announcer = part("announcer");
  shadow.append(root, announcer);
  return { root, figure, label, text, count, placeholder, announcer };
}

function part(name: string, ...children: Node[]): HTMLElement {
  const element = document.createElement("span");
  element.setAttribute("part", name);
  element.append(...children);
  return element;
}
