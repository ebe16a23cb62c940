import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { Failed, change, contentPath, get, getWith } from "./client.ts";
import { setCredential } from "./credential.ts";

const fetched = vi.fn<typeof fetch>();

function answers(status: number, body: unknown = {}, headers: Record<string, string> = {}): void {
  fetched.mockResolvedValueOnce(
    new Response(status === 204 ? null : JSON.stringify(body), { status, headers }),
  );
}

const failureOf = (asked: Promise<unknown>): Promise<Failed> =>
  asked.then(
    () => expect.unreachable(),
    (error: unknown) => error as Failed,
  );

const sent = (): RequestInit => fetched.mock.lastCall?.[1] ?? {};

describe("the client", () => {
  beforeEach(() => {
    fetched.mockReset();
    vi.stubGlobal("fetch", fetched);
  });
  afterEach(() => {
    setCredential(null);
    vi.unstubAllGlobals();
  });

  it("gives what the API answered", async () => {
    answers(200, { live: [] });
    expect(await get("/v1/overview")).toEqual({ live: [] });
  });

  it("sends the key that was entered, in a header and never in the address, and no cookie", async () => {
    setCredential("op-1");
    answers(200);
    await get("/v1/health");
    expect(fetched.mock.lastCall?.[0]).toBe("/v1/health");
    expect(sent().headers).toEqual({ Authorization: "Bearer op-1" });
    expect(sent().credentials).toBe("omit");
  });

  it("tries a key without keeping it", async () => {
    answers(200);
    await getWith("tried", "/v1/health");
    expect(sent().headers).toEqual({ Authorization: "Bearer tried" });
    expect(sessionStorage).toHaveLength(0);
  });

  it("tries to do without a key, though one is kept", async () => {
    setCredential("op-1");
    answers(200);
    await getWith(null, "/v1/health");
    expect(sent().headers).toEqual({});
  });

  it("sends changes as JSON, and gives nothing where there is no body", async () => {
    answers(204);
    expect(await change("PUT", "/v1/contents/a/marks/1", { kind: "goal" })).toBeUndefined();
    expect(sent()).toMatchObject({ method: "PUT", body: '{"kind":"goal"}' });
    expect(sent().headers).toMatchObject({ "Content-Type": "application/json" });
  });

  it.each([
    [400, "refused", false],
    [401, "sign-in", false],
    [403, "forbidden", false],
    [404, "missing", false],
    [429, "busy", true],
    [500, "broken", true],
    [502, "restarting", true],
    [503, "restarting", true],
  ])("takes %i for “%s”", async (status, trouble, passing) => {
    answers(status, { detail: "Because." });
    const failed = await failureOf(get("/v1/overview"));
    expect(failed).toMatchObject({ trouble, passing, status, detail: "Because." });
  });

  it("reads when to come again", async () => {
    answers(429, {}, { "Retry-After": "7" });
    expect((await failureOf(get("/v1/overview"))).retryAfterMs).toBe(7_000);
  });

  it("does not stumble over a problem that is no JSON", async () => {
    fetched.mockResolvedValueOnce(new Response("<h1>Bad gateway</h1>", { status: 502, statusText: "Bad" }));
    expect(await failureOf(get("/v1/overview"))).toMatchObject({ trouble: "restarting", detail: "Bad" });
  });

  it.each([
    [true, "unreachable"],
    [false, "offline"],
  ])("tells a suite that is down from a network that is (online: %s)", async (onLine, trouble) => {
    vi.spyOn(navigator, "onLine", "get").mockReturnValue(onLine);
    fetched.mockRejectedValueOnce(new TypeError("Failed to fetch"));
    expect((await failureOf(get("/v1/overview"))).trouble).toBe(trouble);
  });

  it("lets who called it off see that it was called off", async () => {
    const asking = new AbortController();
    asking.abort();
    fetched.mockRejectedValueOnce(new DOMException("called off", "AbortError"));
    await expect(get("/v1/overview", asking.signal)).rejects.not.toBeInstanceOf(Failed);
  });

  it("takes any id into an address", () => {
    expect(contentPath("a/b ?#é", "/marks")).toBe("/v1/contents/a%2Fb%20%3F%23%C3%A9/marks");
  });
});
