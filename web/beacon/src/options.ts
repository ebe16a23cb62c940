export type Consent = "none" | "analytics" | "personalisation";

/** What a platform tells of a video, its viewer and where reports go. README.md explains each. */
export interface Options {
  endpoint: string;
  key?: string | undefined;
  content: string | number;
  contentType?: string | undefined;
  viewer?: string | number | undefined;
  session?: string | number | undefined;
  consent?: Consent | undefined;
  child?: boolean | undefined;
  attributes?: Record<string, string | undefined> | undefined;
  player?: unknown;
  respectDoNotTrack?: "none" | "silent" | undefined;
}

const CONSENTS: unknown[] = [undefined, "none", "analytics", "personalisation"];

/** What is wrong with the options and what to do, or nothing. */
export const faultOf = (video: unknown, options: Partial<Options> | undefined): string | undefined => {
  if (typeof (video as Partial<EventTarget> | null)?.addEventListener !== "function")
    return "watch(video, options) needs a <video> or <audio> element";
  if (!options?.content) return "give the content's id: content (data-content)";
  if (!/^(https?:\/\/|\/|$)/.test(options.endpoint ?? "-"))
    return "give the suite's address, https://…: endpoint (data-endpoint)";
  if (!isConsent(options.consent)) return consentFault;
  if (![undefined, "none", "silent"].includes(options.respectDoNotTrack))
    return "respectDoNotTrack is none or silent";
  return undefined;
};

export const isConsent = (value: unknown): value is Consent | undefined => CONSENTS.includes(value);
export const consentFault = "consent is none, analytics or personalisation";

/** Where events are posted. The write key stands in the address, so that no preflight is needed. */
export const addressOf = ({ endpoint, key }: Options): string =>
  endpoint.replace(/\/+$/, "") + "/v1/events" + (key ? "?key=" + encodeURIComponent(key) : "");

/** Whether the browser says that its user does not want to be tracked. */
export const doNotTrack = (): boolean =>
  navigator.doNotTrack === "1" ||
  (navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl === true;

/** A name as text, however the platform's templates and databases hold it; nothing where it is empty. */
export const nameOf = (name: string | number | undefined): string | undefined =>
  String(name ?? "") || undefined;

/** A random name: 128 bits. */
export const randomId = (): string =>
  Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join("");
