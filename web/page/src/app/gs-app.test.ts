import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { setCredential } from "../api/credential.ts";
import { setLocale } from "../i18n/locale.ts";
import "./gs-app.ts";

describe("the page", () => {
  let app: HTMLElementTagNameMap["gs-app"];

  beforeEach(async () => {
    await setLocale("en", false);
    vi.stubGlobal("fetch", () => Promise.resolve(new Response("{}", { status: 401 })));
    vi.spyOn(window, "scrollTo").mockReturnValue();
    history.replaceState(null, "", "#/");
    app = document.createElement("gs-app");
    document.body.append(app);
    await vi.waitFor(() => {
      expect(view()?.shadowRoot).not.toBeNull();
    });
  });
  afterEach(() => {
    app.remove();
    setCredential(null);
    vi.unstubAllGlobals();
  });

  const main = (): HTMLElement => app.renderRoot.querySelector("main") ?? expect.unreachable();
  const view = (): Element | null => main().firstElementChild;

  async function go(hash: string): Promise<void> {
    history.replaceState(null, "", hash);
    window.dispatchEvent(new Event("hashchange"));
    await app.updateComplete;
  }

  it("names what is looked at in the tab, in the language that is spoken", async () => {
    expect(document.title).toBe("Overview · Grandstand");
    await go("#/sign-in");
    expect(document.title).toBe("Sign in · Grandstand");
    await setLocale("de", false);
    await app.updateComplete;
    expect(document.title).toBe("Anmelden · Grandstand");
  });

  it("begins a view at its main part, and leaves the focus where it was within one", async () => {
    expect(app.shadowRoot?.activeElement).toBeNull();
    await go("#/?q=final");
    expect(app.shadowRoot?.activeElement).toBeNull();
    await go("#/nonsense");
    await vi.waitFor(() => {
      expect(app.shadowRoot?.activeElement).toBe(main());
    });
    expect(main().getAttribute("aria-label")).toBe("No such page");
  });

  it("says what to do at an address that is none, under a heading of the page's own", async () => {
    await go("#/nonsense");
    expect(view()?.shadowRoot?.querySelector("h1")?.textContent).toBe("No such page");
  });

  it("shows nothing of what another key opened", async () => {
    const before = view();
    setCredential("another");
    await app.updateComplete;
    expect(view()).not.toBe(before);
    expect(view()?.localName).toBe("gs-overview");
  });

  it("lets a key be entered without beginning anew", async () => {
    await go("#/sign-in");
    const before = view();
    setCredential("another");
    await app.updateComplete;
    expect(view()).toBe(before);
  });

  it("goes past its header when asked to, and stays at its address", () => {
    const header = app.renderRoot.querySelector("gs-header")?.shadowRoot;
    header?.querySelector<HTMLElement>(".skip")?.click();
    expect(app.shadowRoot?.activeElement).toBe(main());
    expect(location.hash).toBe("#/");
  });
});
