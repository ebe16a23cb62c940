"""What a CMCD report means as an event of ours. `docs/cmcd.md` says it in full."""

import hashlib
import os
from dataclasses import dataclass
from typing import Any, Final

from events.cmcd.report import Numbers, Report
from events.event import MAX_ID_BYTES, Event
from events.user_agent import device_type

STATES: Final = {
    "s": "starting",
    "p": "playing",
    "k": "seeking",
    "r": "rebuffering",
    "a": "paused",
    "w": "waiting",
    "e": "ended",
    "f": "failed",
    "q": "quit",
    "d": "preloading",
}
OVER: Final = frozenset(("ended", "failed", "quit"))
"""In these states nobody is watching any more, whatever else the report says."""

CHANGED_TO: Final = {
    "starting": "join",
    "playing": "play",
    "seeking": "seek",
    "rebuffering": "stall",
    "paused": "pause",
    "ended": "complete",
    "failed": "stop",
    "quit": "stop",
}
"""What a change of the play state (`ps`) means; the states left out are a sign of life only."""

HAPPENED: Final = {"bc": "quality_change", "e": "error", "as": "ad_start", "ae": "ad_end"}
"""What other events mean in whatever state; those left out are a sign of life only."""

TOLD_BY_TYPE: Final = frozenset(("ps", "t", *HAPPENED))
"""Events that nothing more need be kept of than our event's type and state."""

CONTENT_TYPES: Final = {"v": "vod", "l": "live", "ll": "live"}
SHOWN: Final = ("v", "av", None)
"""Object types whose bitrate is the picture's; None where the player does not say."""

KEPT_INTEGERS: Final = ("df", "dfa", "ltc", "rc", "ttfb", "ttfbb", "ttlb")
KEPT_NUMBERS: Final = ("bsa", "bsda", "lb", "pb", "tb", "tbl", "tpb")
KEPT_TEXTS: Final = ("ot", "sf", "cdn", "cen", "h")
KEPT_FLAGS: Final = ("bg", "nr")
LONGEST_TEXT: Final = 128
"""Of texts beside ids, in characters; longer ones are cut, so that an event is not lost for its wording."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CmcdContext:
    """What the request says beside the report.

    `content_id` stands in for a missing `cid`; `target` names the receiver, whose sequence numbers (`sn`) count on
    their own; `extra_fields` is the operator's allow-list for custom keys.
    """

    content_id: str | None = None
    user_agent: str | None = None
    target: str = "cmcd"
    report_every_seconds: int | None = None
    consent: str | None = None
    child: bool | None = None
    extra_fields: frozenset[str] = frozenset()
    max_reports: int = 10_000


class NotAnEvent(Exception):
    """The report lacks what an event must have. `code` is counted, the text is told to the sender."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def event_of(report: Report, received_at: int, context: CmcdContext) -> Event:
    """The event that a report tells of. Raises NotAnEvent where it names no session or no content."""
    texts, integers = report.texts, report.integers
    session_id = texts.get("sid")
    if not session_id:
        raise NotAnEvent("missing_session", "sid is missing: send the session's id in every report")
    content_id = texts.get("cid") or context.content_id
    if not content_id:
        raise NotAnEvent("missing_content", "cid is missing: send it, or name the content with ?content= in the URL")
    state = _state(report)
    return Event(
        event_type=_event_type(report, state),
        event_timestamp=integers.get("ts", received_at),
        content_id=content_id,
        session_id=session_id,
        event_id=_event_id(report, session_id, context),
        position_seconds=integers["pt"] / 1000 if "pt" in integers else None,
        bitrate_kbps=_bitrate(report),
        device_type=device_type(context.user_agent),
        report_every_seconds=context.report_every_seconds,
        content_type=CONTENT_TYPES.get(texts.get("st", "")),
        stall_ms=_stall_ms(report),
        startup_ms=integers.get("msd"),
        buffer_ms=_main(report.numbers.get("bl")),
        throughput_kbps=_main(report.numbers.get("mtp")) if "mtp" in report.numbers else integers.get("tp"),
        playback_rate=report.decimals.get("pr"),
        player_state=state,
        error_code=_cut(",".join(report.strings["ec"])) if "ec" in report.strings else None,
        extra=_extra(report, context.extra_fields) or None,
    )


def is_exact(report: Report) -> bool:
    """Whether the report carries an identity of its own, the same in every retry."""
    return report.version > 1 and "sn" in report.integers and "ts" in report.integers


def _state(report: Report) -> str | None:
    """Version 2 says the state (`sta`); from version 1 it is read off `pr`, `bs` and `su`."""
    if "sta" in report.texts:
        return STATES.get(report.texts["sta"])
    if "e" in report.texts:
        return None
    if report.decimals.get("pr") == 0:
        return "paused"
    if report.flags.get("bs"):
        return "rebuffering"
    return "starting" if report.flags.get("su") else "playing"


def _event_type(report: Report, state: str | None) -> str:
    event = report.texts.get("e")
    if event == "ps" and state in CHANGED_TO:
        return CHANGED_TO[state]
    if event in HAPPENED:
        return HAPPENED[event]
    if state in OVER:
        return "stop"
    return "stall" if event is None and report.flags.get("bs") else "heartbeat"


def _event_id(report: Report, session_id: str, context: CmcdContext) -> str:
    """Random in version 1; in version 2 a digest of session, target and sequence number, and the time where there is
    one. Event ids are stored as they are, so the session's id must not be read from them.

    The time is part of it because players start counting anew when they load the next source in the same session.
    """
    if report.version == 1 or "sn" not in report.integers:
        return os.urandom(16).hex()
    mode = "events" if "e" in report.texts else "requests"
    parts = [session_id, context.target, mode, str(report.integers["sn"]), str(report.integers.get("ts", ""))]
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        data = part.encode(errors="replace")
        digest.update(len(data).to_bytes(4, "big") + data)
    return digest.hexdigest()


def _bitrate(report: Report) -> int | None:
    """The picture's encoded bitrate; a request for sound, text or a playlist does not tell it."""
    for key in ("br", "ab", "pb"):
        numbers = report.numbers.get(key)
        if numbers and (report.version > 1 or report.texts.get("ot") in SHOWN):
            shown = _of_picture(numbers, report.texts.get("ot"))
            if shown is not None:
                return shown
    return None


def _of_picture(numbers: Numbers, requested: str | None) -> int | None:
    for wanted in SHOWN:
        for number, object_types in numbers:
            if wanted in object_types or (wanted is None and not object_types and requested in SHOWN):
                return number
    return None


def _main(numbers: Numbers | None) -> int | None:
    """The picture's value where the list tells one, else its first."""
    if not numbers:
        return None
    shown = _of_picture(numbers, None)
    return numbers[0][0] if shown is None else shown


def _stall_ms(report: Report) -> int | None:
    """The durations of the stalls that ended, of the picture where the list tells it from the sound."""
    numbers = report.numbers.get("bsd")
    if not numbers:
        return None
    of_picture = [number for number, types in numbers if not types or "v" in types or "av" in types]
    return sum(of_picture) if of_picture else sum(number for number, _ in numbers)


def _extra(report: Report, extra_fields: frozenset[str]) -> dict[str, Any]:
    """CMCD keys that have no field of ours, as `cmcd_<key>`, and the custom keys that the operator allows."""
    kept: dict[str, Any] = {f"cmcd_{key}": report.integers[key] for key in KEPT_INTEGERS if key in report.integers}
    kept |= {f"cmcd_{key}": _main(report.numbers[key]) for key in KEPT_NUMBERS if key in report.numbers}
    kept |= {f"cmcd_{key}": _cut(report.texts[key]) for key in KEPT_TEXTS if key in report.texts}
    kept |= {f"cmcd_{key}": report.flags[key] for key in KEPT_FLAGS if report.flags.get(key)}
    event = report.texts.get("e")
    if event is not None and event not in TOLD_BY_TYPE:
        kept["cmcd_e"] = _cut(event)
    return kept | {key: _cut(value) for key, value in report.custom.items() if key in extra_fields}


def _cut(value: Any) -> Any:
    """The value; a text's first characters, in at most 256 bytes."""
    if not isinstance(value, str):
        return value
    return value[:LONGEST_TEXT].encode(errors="replace")[:MAX_ID_BYTES].decode(errors="ignore")
