import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { credential, setCredential } from "../api/credential.ts";
import { setLocale } from "../i18n/locale.ts";
import { accessOf } from "./access.ts";
import "./gs-sign-in.ts";

vi.mock(import("./access.ts"), () => ({ accessOf: vi.fn() }));
const opens = vi.mocked(accessOf);

async function shown(): Promise<{
  root: ShadowRoot;
  said: () => string;
  enter: (key: string) => Promise<void>;
}> {
  const view = document.createElement("gs-sign-in");
  document.body.append(view);
  const settled = async (): Promise<void> => {
    await vi.waitFor(() => {
      expect(view.renderRoot.querySelector("button")?.disabled).toBe(false);
    });
  };
  await view.updateComplete;
  await settled();
  const root = view.renderRoot as ShadowRoot;
  const input = (): HTMLInputElement => root.querySelector("input") ?? expect.unreachable();
  return {
    root,
    said: () => root.querySelector("[role=status]")?.textContent.replace(/\s+/g, " ").trim() ?? "",
    enter: async (key) => {
      input().value = key;
      root.querySelector("form")?.dispatchEvent(new Event("submit", { cancelable: true }));
      await view.updateComplete;
      await settled();
    },
  };
}

describe("signing in", () => {
  beforeEach(async () => {
    await setLocale("en", false);
    opens.mockReset().mockResolvedValue("unknown");
  });
  afterEach(() => {
    setCredential(null);
    document.body.replaceChildren();
  });

  it("says nothing of a key that nobody has entered", async () => {
    expect((await shown()).said()).toBe("");
  });

  it("says where no key is needed", async () => {
    opens.mockResolvedValue("open");
    expect((await shown()).said()).toContain("No key is needed here");
  });

  it.each([
    ["operator", "It opens everything", true],
    ["public", "all else needs an operator key", true],
    ["other", "not for reading figures", false],
    ["unknown", "does not know this key", false],
  ] as const)(
    "tells what a key of kind “%s” opens, and keeps it only for something",
    async (kind, words, kept) => {
      const { said, enter } = await shown();
      opens.mockResolvedValue(kind);
      await enter(" the-key ");
      expect(opens).toHaveBeenLastCalledWith("the-key");
      expect(said()).toContain(words);
      expect(credential()).toBe(kept ? "the-key" : null);
    },
  );

  it("keeps the key for this tab only, and out of the page's text and address", async () => {
    const { root, enter } = await shown();
    opens.mockResolvedValue("operator");
    await enter("the-key");
    expect(localStorage).toHaveLength(0);
    expect(location.href).not.toContain("the-key");
    expect(root.textContent).not.toContain("the-key");
    expect(root.querySelector("input")).toMatchObject({ type: "password", value: "" });
  });

  it("says when the suite cannot be asked, and keeps what was typed", async () => {
    const { root, enter, said } = await shown();
    opens.mockRejectedValue(new TypeError("no network"));
    await enter("the-key");
    expect(root.querySelector("gs-state")).not.toBeNull();
    expect(said()).not.toContain("does not know");
    expect(root.querySelector("input")?.value).toBe("the-key");
    expect(credential()).toBeNull();
  });
});
