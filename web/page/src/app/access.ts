import { Failed, getWith } from "../api/client.ts";

/**
 * What a key opens: all, with an `operator` key or where the suite is `open` to its own machine and needs none; the
 * `public` figures of listed contents; nothing that is shown here, as a write key (`other`); or it is `unknown`.
 */
export type Access = "open" | "operator" | "public" | "other" | "unknown";

const OPERATOR_ONLY = "/v1/health";
const PUBLIC = "/v1/overview?limit=1";

/** Try a key, or none, against the API. Throws Failed when the API cannot say. */
export async function accessOf(key: string | null): Promise<Access> {
  if (key !== null && !/^[\x20-\x7e]+$/.test(key)) return "unknown"; // no header can carry it
  const all = await statusOf(key, OPERATOR_ONLY);
  if (all === 401) return "unknown";
  if (all === 403) return (await statusOf(key, PUBLIC)) === 200 ? "public" : "other";
  // a suite that needs no key takes any
  if (key === null || (await statusOf(null, OPERATOR_ONLY)) === 200) return "open";
  return "operator";
}

async function statusOf(key: string | null, path: string): Promise<number> {
  try {
    await getWith(key, path);
    return 200;
  } catch (error) {
    if (error instanceof Failed && [401, 403].includes(error.status)) return error.status;
    throw error;
  }
}
