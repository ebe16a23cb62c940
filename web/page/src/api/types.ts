/** What the API answers: the shapes of /openapi.json that the page reads. Times are RFC 3339, in UTC. */

export interface Problem {
  code: string;
  value: number | null;
  limit: number | null;
}

export interface LiveContent {
  content_id: string;
  title: string | null;
  starts_at: string | null;
  concurrent: number;
  concurrent_error: number;
  change: number | null;
  rebuffering_ratio: number | null;
  sparkline: { from: string; resolution: string; concurrent: (number | null)[] };
  problems: Problem[];
}

export interface UpcomingContent {
  content_id: string;
  title: string | null;
  starts_at: string;
  problems: Problem[];
}

export interface EndedContent {
  content_id: string;
  title: string | null;
  ended_at: string;
  peak_concurrent: number;
  peak_concurrent_error: number;
}

export interface Overview {
  as_of: string;
  delay_ms: number | null;
  live: LiveContent[];
  more: number;
  upcoming: UpcomingContent[];
  ended: EndedContent[];
}

export interface Content {
  content_id: string;
  title: string | null;
  starts_at: string | null;
  ends_at: string | null;
  version: string;
}

export interface Mark {
  mark_id: string;
  at: string;
  kind: string;
  label: string;
}

export interface Marks {
  content_id: string;
  marks: Mark[];
}

/** The dimensions that an audience is split by. */
export const DIMENSIONS = [
  "device_type",
  "country",
  "quality_level",
  "tier",
  "network_quality",
  "age_group",
  "player_state",
] as const;
export type Dimension = (typeof DIMENSIONS)[number];

export interface Share {
  value: string | null;
  viewers: number;
  viewers_error: number;
  events: number;
}

export interface AudienceWindow {
  start: string;
  viewers: number;
  viewers_error: number;
  concurrent: number;
  concurrent_error: number;
  concurrent_mean: number;
  concurrent_mean_error: number;
  engaged_viewers: number;
  engaged_viewers_error: number;
  engagement_rate: number;
  engagements: number;
  events: Record<string, number>;
  events_error: Record<string, number>;
  watched_ms: number;
  watched_ms_error: number;
  startups: number;
  startup_ms_mean: number | null;
  startup_ms_p50: number | null;
  startup_ms_p95: number | null;
  stalls: number;
  stall_ms: number;
  rebuffering_ratio: number | null;
  bitrate_kbps: number | null;
  throughput_kbps: number | null;
  buffer_ms: number | null;
  quality_changes: number;
  errors: number;
  sample_rate: number;
  by: Partial<Record<Dimension, Share[]>>;
}

export type Resolution = "5s" | "1m" | "1h";

export interface Audience {
  content_id: string;
  resolution: Resolution;
  windows: AudienceWindow[];
}

/** The last minutes, from an address that a cache may answer. */
export interface Recent extends Audience {
  as_of: string;
  from: string;
  to: string;
}

export interface Now extends Audience {
  as_of: string;
  delay_ms: number | null;
  viewers: number;
  viewers_error: number;
  concurrent: number;
  concurrent_error: number;
}

export interface TopContent {
  content_id: string;
  title: string | null;
  content_type: string | null;
  watched_ms: number;
  events: number;
  viewers: number;
  viewers_error: number;
}

export interface Top {
  window: string;
  from: string;
  to: string;
  contents: TopContent[];
}

export interface AlsoWatched {
  content_id: string;
  window: string;
  from: string;
  to: string;
  as_of: string | null;
  viewers: number;
  contents: { content_id: string; title: string | null; viewers: number; share: number; lift: number }[];
}

export interface TopBySegment {
  by: Dimension;
  window: string;
  from: string;
  to: string;
  as_of: string | null;
  segments: {
    value: string | null;
    viewers: number;
    contents: { content_id: string; title: string | null; watched_ms: number; viewers: number }[];
  }[];
}

export interface Segment {
  value: string | null;
  viewers: number;
  watched_ms: number;
  engaged_viewers: number;
  engagement_rate: number;
  startups: number;
  startup_ms_p50: number | null;
  stalls: number;
  stall_ms: number;
  rebuffering_ratio: number | null;
  bitrate_kbps: number | null;
  errors: number;
}

export interface Segments {
  content_id: string;
  by: Dimension;
  from: string;
  to: string;
  as_of: string | null;
  segments: Segment[];
}

export type FunctionState = "ok" | "idle" | "behind" | "busy" | "failing" | "silent";

export interface FunctionHealth {
  name: string;
  kind: "http" | "stream" | "queue" | "schedule";
  state: FunctionState;
  instances: number;
  last_seen: string | null;
  calls_per_second: number;
  failures_per_second: number;
  events_in_per_second: number | null;
  events_out_per_second: number | null;
  busy: number | null;
  duration_ms_p50: number | null;
  duration_ms_p99: number | null;
  waiting: number | null;
  oldest_ms: number | null;
  parked: number | null;
  last_error: { at: string; reason: string } | null;
}

export interface Health {
  as_of: string;
  functions: FunctionHealth[];
  lag: {
    events: number;
    event_to_visible_ms_p50: number | null;
    event_to_visible_ms_p99: number | null;
    received_to_visible_ms_p50: number | null;
    received_to_visible_ms_p99: number | null;
  };
  bottleneck: {
    function: string;
    why: "silent" | "failing" | "behind" | "busy";
    waiting: number | null;
    oldest_ms: number | null;
    busy: number | null;
    failures_per_second: number | null;
  } | null;
  recent: {
    from: string;
    step_seconds: number;
    event_to_visible_ms_p50: (number | null)[];
    event_to_visible_ms_p99: (number | null)[];
    functions: Record<
      string,
      {
        events_in_per_second: (number | null)[];
        events_out_per_second: (number | null)[];
        waiting: (number | null)[];
      }
    >;
  };
}

export interface Completeness {
  from: string;
  to: string;
  received: number;
  counted: number;
  duplicate: number;
  late: number;
  rejected: Record<string, number>;
  sampled_out: number;
  dead_letters: number;
}

export interface Letter {
  record_id: string;
  key: string;
  function: string;
  reason: string;
  dead_at: string;
  first_appended_at: string;
  bytes: number;
}

export interface Letters {
  letters: Letter[];
  next: string | null;
}

export interface Replayed {
  replayed: number;
  refused: { record_id: string; reason: string }[];
}
