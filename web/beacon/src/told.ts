/** One viewer watching one content. `alias` is the session's name while nothing may lead to the viewer. */
export interface View {
  content: string;
  session: string;
  alias: string;
}

/** An event but for what is said of all events of its view and its body. */
export interface Told {
  event_type: string;
  event_timestamp: number;
  watched_ms?: number | undefined;
  [field: string]: unknown;
}
