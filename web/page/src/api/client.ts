import { credential } from "./credential.ts";

/** Why there is no answer, as far as a person can do something about it. */
export type Trouble =
  | "offline"
  | "unreachable"
  | "restarting"
  | "broken"
  | "busy"
  | "sign-in"
  | "forbidden"
  | "missing"
  | "refused";

/** Those that pass by themselves: the same request may well be answered later. */
export const PASSING = ["offline", "unreachable", "restarting", "broken", "busy"] as const;
export type PassingTrouble = (typeof PASSING)[number];

/** No answer, and why. `detail` is the suite's own sentence (English), where it gave one. */
export class Failed extends Error {
  constructor(
    readonly trouble: Trouble,
    readonly detail: string,
    readonly status = 0,
    readonly retryAfterMs: number | null = null,
  ) {
    super(detail);
  }

  /** Whether the same request may well be answered later. */
  get passing(): boolean {
    return PASSING.some((one) => one === this.trouble);
  }
}

const PATIENCE_MS = 15_000;

/** GET an address of the API. Throws Failed. */
export function get<Answer>(path: string, signal?: AbortSignal): Promise<Answer> {
  return send<Answer>("GET", path, { signal });
}

/** GET an address with a key that is only tried, or with none. Throws Failed. */
export function getWith<Answer>(key: string | null, path: string): Promise<Answer> {
  return send<Answer>("GET", path, { key });
}

/** Send a change to the API; the answer's body, or undefined where it has none. Throws Failed. */
export function change<Answer>(
  method: "POST" | "PUT" | "DELETE",
  path: string,
  body?: unknown,
): Promise<Answer> {
  return send<Answer>(method, path, { body });
}

interface Options {
  body?: unknown;
  signal?: AbortSignal | undefined;
  key?: string | null;
}

async function send<Answer>(
  method: string,
  path: string,
  { body, signal, key = credential() }: Options,
): Promise<Answer> {
  const patience = AbortSignal.timeout(PATIENCE_MS);
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers: {
        ...(key === null ? {} : { Authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: signal ? AbortSignal.any([signal, patience]) : patience,
      credentials: "omit",
    });
    if (response.ok) return (response.status === 204 ? undefined : await response.json()) as Answer;
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Failed(navigator.onLine ? "unreachable" : "offline", String(error));
  }
  throw await failure(response);
}

async function failure(response: Response): Promise<Failed> {
  const problem = (await response.json().catch(() => ({}))) as { detail?: unknown };
  const detail = typeof problem.detail === "string" ? problem.detail : response.statusText;
  const seconds = Number(response.headers.get("Retry-After"));
  return new Failed(
    troubleOf(response.status),
    detail,
    response.status,
    seconds > 0 ? seconds * 1_000 : null,
  );
}

function troubleOf(status: number): Trouble {
  if (status === 401) return "sign-in";
  if (status === 403) return "forbidden";
  if (status === 404) return "missing";
  if (status === 429) return "busy";
  // a gateway's own answers, and the suite's while it comes or goes
  if ([502, 503, 504].includes(status)) return "restarting";
  return status >= 500 ? "broken" : "refused";
}

/** `/v1/contents/a%2Fb/audience`: ids are data and may hold any character. */
export const contentPath = (contentId: string, rest = ""): string =>
  `/v1/contents/${encodeURIComponent(contentId)}${rest}`;
