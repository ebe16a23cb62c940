import { html } from "lit";

import type { FunctionState } from "../../api/types.ts";
import { t, worded } from "../../i18n/locale.ts";

/** What a function is called; one that was added since stands by its own name. */
export const functionName = (name: string): string => worded("health.function_", name);

/** Why ingest rejected an event, in words where it is a known reason. */
export const reasonName = (reason: string): string => worded("health.rejected_", reason);

const SIGNS: Record<FunctionState, string> = {
  ok: "✓",
  idle: "○",
  behind: "▼",
  busy: "◆",
  failing: "✕",
  silent: "∅",
};

/** A state as a sign and a word: the colour only repeats it. */
export const stateMark = (state: FunctionState) => html`
  <span class="state" data-state=${state}>
    <span aria-hidden="true">${SIGNS[state]}</span> ${t(`health.state_${state}`)}
  </span>
`;
