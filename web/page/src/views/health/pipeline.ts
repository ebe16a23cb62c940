import type { FunctionHealth } from "../../api/types.ts";

/** Where in the pipeline a function stands: what comes in, what reads the stream, what runs by itself, what answers. */
export const STAGES = ["receive", "stream", "schedule", "answer"] as const;
export type Stage = (typeof STAGES)[number];

/** The functions by stage, in the order of the API, which is that of the pipeline. */
export const staged = (functions: FunctionHealth[]): [Stage, FunctionHealth[]][] =>
  STAGES.map((stage) => [stage, functions.filter((one) => stageOf(one) === stage)]);

function stageOf({ name, kind }: FunctionHealth): Stage {
  if (kind === "queue") return "schedule";
  if (kind !== "http") return kind;
  return name === "ingest" ? "receive" : "answer";
}
