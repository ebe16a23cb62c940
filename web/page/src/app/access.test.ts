import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { accessOf } from "./access.ts";

/** What a suite answers by key and path. */
type Suite = (key: string | null, path: string) => number;

const behindKeys: Suite = (key, path) => {
  if (key === "operator-key") return 200;
  if (key === "publish-key") return path.startsWith("/v1/overview") ? 200 : 403;
  return key === "write-key" ? 403 : 401;
};
/** On loopback an unknown key is as good as none, and a known one still opens its own doors only. */
const onLoopback: Suite = (key, path) => {
  const status = behindKeys(key, path);
  return status === 401 ? 200 : status;
};

function serve(suite: Suite): void {
  vi.stubGlobal("fetch", (path: string, { headers }: { headers: Record<string, string> }) =>
    Promise.resolve(
      new Response("{}", { status: suite(headers.Authorization?.replace("Bearer ", "") ?? null, path) }),
    ),
  );
}

describe("what a key opens", () => {
  beforeEach(() => {
    serve(behindKeys);
  });
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it.each([
    ["operator-key", "operator"],
    ["publish-key", "public"],
    ["write-key", "other"],
    ["mistyped", "unknown"],
    ["not ascii: ключ", "unknown"],
    ["", "unknown"],
    [null, "unknown"],
  ])("%s: %s", async (key, access) => {
    expect(await accessOf(key)).toBe(access);
  });

  it.each([
    [null, "open"],
    ["anything", "open"],
    ["operator-key", "open"],
    ["publish-key", "public"],
  ])("on loopback, with %s: %s", async (key, access) => {
    serve(onLoopback);
    expect(await accessOf(key)).toBe(access);
  });

  it("is not known while the suite is away", async () => {
    serve(() => 503);
    await expect(accessOf("operator-key")).rejects.toMatchObject({ trouble: "restarting" });
  });
});
