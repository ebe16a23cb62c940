import type { ReactiveController, ReactiveControllerHost } from "lit";

/** Where in the page we are: the address's hash, so that any static host can serve every view. */
export type Route =
  | { view: "overview" | "preferences" | "health" | "sign-in" | "unknown"; parameters: URLSearchParams }
  | { view: "content"; contentId: string; parameters: URLSearchParams };

/** `#/contents/final?split=country` → its route. */
export function parse(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#/, "").split(/\?(.*)/s);
  const parameters = new URLSearchParams(query);
  const content = /^\/contents\/(.+)$/.exec(path)?.[1];
  if (content !== undefined) return { view: "content", contentId: decoded(content), parameters };
  if (path === "" || path === "/") return { view: "overview", parameters };
  const view = (["preferences", "health", "sign-in"] as const).find((one) => path === `/${one}`);
  return { view: view ?? "unknown", parameters };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The address of a content's view. */
export const contentAddress = (contentId: string, parameters?: URLSearchParams): string =>
  withQuery(`#/contents/${encodeURIComponent(contentId)}`, parameters);

/** The address of a view. */
export const address = (
  view: "overview" | "preferences" | "health" | "sign-in",
  parameters?: URLSearchParams,
): string => withQuery(view === "overview" ? "#/" : `#/${view}`, parameters);

function withQuery(path: string, parameters?: URLSearchParams): string {
  const query = parameters?.toString();
  return query ? `${path}?${query}` : path;
}

/** Say what is looked at in the address, without a new entry in the history; unset parameters are left out. */
export function setParameters(values: Record<string, string | null>): void {
  const route = parse(location.hash);
  for (const [name, value] of Object.entries(values))
    if (value === null) route.parameters.delete(name);
    else route.parameters.set(name, value);
  const [path = "#/"] = (location.hash || "#/").split("?");
  history.replaceState(null, "", withQuery(path, route.parameters));
  window.dispatchEvent(new Event("hashchange"));
}

/** Draws its host again when the address changes. */
export class Routed implements ReactiveController {
  route: Route = parse(location.hash);
  private readonly read = (): void => {
    this.route = parse(location.hash);
    this.host.requestUpdate();
  };

  constructor(private readonly host: ReactiveControllerHost) {
    host.addController(this);
  }

  hostConnected(): void {
    window.addEventListener("hashchange", this.read);
    this.read();
  }

  hostDisconnected(): void {
    window.removeEventListener("hashchange", this.read);
  }
}
