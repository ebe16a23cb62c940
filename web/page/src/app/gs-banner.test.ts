import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { Failed } from "../api/client.ts";
import { connection } from "../api/connection.ts";
import { setLocale } from "../i18n/locale.ts";
import "./gs-banner.ts";

const POLL = {};

describe("the banner", () => {
  let banner: HTMLElementTagNameMap["gs-banner"];

  beforeEach(async () => {
    await setLocale("en", false);
    vi.useFakeTimers();
    banner = document.createElement("gs-banner");
    document.body.append(banner);
  });
  afterEach(() => {
    connection.left(POLL);
    banner.remove();
    vi.useRealTimers();
  });

  async function said(): Promise<string> {
    await banner.updateComplete;
    return banner.renderRoot.querySelector("[role=status]")?.textContent.replace(/\s+/g, " ").trim() ?? "";
  }

  it("is silent as long as all is well", async () => {
    connection.answered(POLL, {});
    expect(await said()).toBe("");
  });

  it("says what is the matter, since when and what to do", async () => {
    connection.failed(POLL, new Failed("restarting", ""));
    expect(await said()).toMatch(/The suite is restarting since .*\d.* goes on by itself/);
  });

  it("does not say the same again while it goes on", async () => {
    connection.failed(POLL, new Failed("restarting", ""));
    const before = await said();
    vi.advanceTimersByTime(5_000);
    connection.failed(POLL, new Failed("restarting", ""));
    expect(await said()).toBe(before);
  });

  it("says once that all is well again, and then nothing", async () => {
    connection.failed(POLL, new Failed("offline", ""));
    connection.answered(POLL, {});
    expect(await said()).toContain("All is well again");
    connection.answered(POLL, {});
    vi.advanceTimersByTime(6_000);
    expect(await said()).toBe("");
    connection.answered(POLL, {});
    expect(await said()).toBe("");
  });

  it("does not take a fault back that comes while it says so", async () => {
    connection.failed(POLL, new Failed("offline", ""));
    connection.answered(POLL, {});
    connection.failed(POLL, new Failed("unreachable", ""));
    vi.advanceTimersByTime(6_000);
    expect(await said()).toContain("No connection to the suite");
  });
});
