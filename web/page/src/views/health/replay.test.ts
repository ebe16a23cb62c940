import { beforeEach, describe, expect, it, vi } from "vitest";

import { replay } from "./replay.ts";

interface Asked {
  path: string;
  body: { record_ids: string[] } | null;
}

const letters = Array.from({ length: 450 }, (_, index) => ({ record_id: `${index}` }));
let asked: Asked[] = [];

beforeEach(() => {
  asked = [];
  vi.stubGlobal("fetch", (path: string, { body }: { body?: string }) => {
    const request: Asked = { path, body: body === undefined ? null : (JSON.parse(body) as Asked["body"]) };
    asked.push(request);
    return Promise.resolve(Response.json(answer(request)));
  });
});

function answer({ path, body }: Asked): unknown {
  if (body)
    return {
      replayed: body.record_ids.length - 1,
      refused: [{ record_id: body.record_ids[0], reason: "older than the horizon" }],
    };
  const more = path.includes("cursor=");
  return { letters: more ? letters.slice(400) : letters.slice(0, 400), next: more ? null : "a b" };
}

describe("a replay", () => {
  it("names the letters that were chosen, and no others", async () => {
    expect(await replay(["7", "8"])).toEqual({
      replayed: 1,
      refused: [{ record_id: "7", reason: "older than the horizon" }],
    });
    expect(asked.map(({ body }) => body?.record_ids)).toEqual([["7", "8"]]);
  });

  it("of all takes every page of the letters, each letter once, and tells the sum", async () => {
    const told = await replay(null);

    expect(asked.flatMap(({ body }) => body?.record_ids ?? [])).toEqual(letters.map((one) => one.record_id));
    expect(asked[1]?.path).toBe("/v1/dead-letters?limit=1000&cursor=a%20b");
    expect([told.replayed, told.refused.length]).toEqual([447, 3]);
  });
});
