import { css, html } from "lit";

import { credential } from "../../api/credential.ts";
import { t } from "../../i18n/locale.ts";
import "../../parts/gs-state.ts";

export const emptyStyles = css`
  pre {
    margin: 0;
    padding: 12px;
    border: 1px solid var(--line);
    border-radius: 8px;
    background: var(--raised);
    overflow-x: auto;
    font-size: 0.8125rem;
    text-align: left;
  }
`;

/** What to do when nobody has ever reported anything. */
export const nothingYet = () => html`
  <gs-state .state=${"nothing-yet"}>
    <p>${t("overview.try_curl")}</p>
    <pre tabindex="0" dir="ltr" role="group" aria-label=${t("overview.try_curl")}>${firstEvent()}</pre>
    <p>${t("overview.try_demo", { command: "make demo" })}</p>
  </gs-state>
`;

/** README's first event, for a shell. */
function firstEvent(): string {
  const key = credential() === null ? "" : " -H 'authorization: Bearer WRITE-KEY'";
  return `curl ${location.origin}/v1/events${key} -H 'content-type: application/json' -d '{
  "events": [{
    "event_type": "heartbeat", "event_timestamp": '$(date +%s000)',
    "viewer_id": "v-1", "session_id": "s-1", "content_id": "final",
    "watched_ms": 10000, "bitrate_kbps": 4500, "device_type": "tv", "country": "DE"
  }]}'`;
}
