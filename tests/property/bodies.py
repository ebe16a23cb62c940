"""What senders say, and which of it must be taken: drawn by hypothesis, made when it is sent."""

import json
from dataclasses import dataclass, replace
from typing import Any, Final

from hypothesis import strategies as st

from events.event import EVENT_TYPES
from functions.ingest.handler import Sent
from tests.property.world import DAY, HOUR, MINUTE, SECOND, Post

LONGEST_HISTORY_MS: Final = 3 * HOUR
"""Time passes by no more than this before the last retry, so that no retry is judged otherwise than the first try."""
TAKEN: Final = (-40 * SECOND, -HOUR, -7 * DAY + LONGEST_HISTORY_MS, 4 * MINUTE)
TO_THE_EDGE: Final = (-7 * DAY, 5 * MINUTE)
REFUSED: Final = (-7 * DAY - 1, -60 * DAY, 400 * DAY)
WRONG: Final[tuple[dict[str, Any], ...]] = (
    {"event_type": "dance"},
    {"watched_ms": -5},
    {"watched_ms": "long"},
    {"content_id": ""},
    {"viewer_id": None, "session_id": None},
    {"event_type": None},
)


@dataclass(frozen=True)
class Said:
    """An event to be: `after_ms` counts from when its body is first sent, or from the history's start."""

    after_ms: int
    fields: dict[str, Any]
    taken: bool = True
    from_start: bool = False


@dataclass(frozen=True)
class Letter:
    """A body to be. `skew_ms` is how far the sender's clock is ahead, which it says."""

    said: list[Said]
    batch_id: str
    """How it names itself: "body", "header", or "" when not at all."""
    skew_ms: int
    consent: str | None
    encoding: str


_fields = st.fixed_dictionaries(
    {
        "content_id": st.sampled_from(["match", "match", "match", "cup/2#b", "news\n"]),
        "viewer_id": st.sampled_from([None, *(f"viewer-{n}" for n in range(8))]),
        "session_id": st.sampled_from(["session-1", "session-2", "session-3", None]),
        "event_type": st.sampled_from(["heartbeat", "heartbeat", "join", "stop", *EVENT_TYPES]),
        "watched_ms": st.sampled_from([None, 0, 4_000, 5_000, 10_000]),
        "report_every_seconds": st.sampled_from([None, None, 10, 20, 30, 60, 7]),
    },
    optional={
        "event_id": st.sampled_from(["e1", "e2"]),
        "country": st.sampled_from(["NL", "DE"]),
        "child": st.booleans(),
        "consent": st.sampled_from(["none", "analytics", "personalisation"]),
        "rating": st.sampled_from([4.5]),
        "content_type": st.sampled_from(["live"]),
    },
).filter(lambda fields: bool(fields["viewer_id"] or fields["session_id"]))
_near = st.integers(-20 * SECOND, 10 * SECOND) | st.integers(0, 4 * MINUTE)
_first_minutes = st.integers(0, 40).map(lambda window: window * 5 * SECOND + 4_000)


def _events(taken: tuple[int, ...]) -> st.SearchStrategy[Said]:
    good = st.builds(Said, _near | _near | st.sampled_from(taken), _fields)
    refused = st.builds(Said, st.sampled_from(REFUSED), _fields, st.just(False))
    wrong = st.builds(
        lambda said, wrong: replace(said, fields=said.fields | wrong, taken=False), good, st.sampled_from(WRONG)
    )
    match = st.builds(Said, _first_minutes, _fields, st.just(True), st.just(True))
    return good | good | match | match | refused | wrong


def _letters(batch_ids: list[str], taken: tuple[int, ...]) -> st.SearchStrategy[Letter]:
    return st.builds(
        Letter,
        st.lists(_events(taken), min_size=1, max_size=9),
        st.sampled_from(batch_ids),
        st.sampled_from([0, 0, 1_234, -40 * SECOND]),
        st.sampled_from([None, None, None, "none"]),
        st.sampled_from(["", "", "gzip", "zstd"]),
    )


named_letters = _letters(["body", "body", "header"], TAKEN)
nameless_letters = _letters([""], TAKEN + TO_THE_EDGE)
"""Sent once and answered, since a retry of theirs counts anew; so their events may lie at the very edge."""


def write(letter: Letter, number: int, now_ms: int, started_ms: int) -> Post:
    """The body as it is sent, the same in every retry; `number` tells it from every other."""
    accepted, events = [], []
    for each in letter.said:
        at = (started_ms if each.from_start else now_ms) + each.after_ms
        told = {name: value for name, value in each.fields.items() if value is not None}
        events.append({**told, "event_timestamp": at + letter.skew_ms})
        if each.taken:
            consent = "none" if letter.consent == "none" else each.fields.get("consent")
            accepted.append({**told, "event_timestamp": at, "consent": consent})
    body: dict[str, Any] = {"events": events}
    if letter.batch_id == "body":
        body["batch_id"] = f"batch-{number}"
    if letter.batch_id:
        body["clock_offset_ms"] = letter.skew_ms
    else:
        body["sent_at"] = now_ms + letter.skew_ms
    if letter.consent is not None:
        body["consent"] = letter.consent
    sent = Sent(
        data=_packed(json.dumps(body).encode(), letter.encoding),
        source="player",
        encoding=letter.encoding,
        idempotency_key=f"batch-{number}" if letter.batch_id == "header" else None,
    )
    rejected = [index for index, each in enumerate(letter.said) if not each.taken]
    return Post(sent, accepted, rejected, exact=bool(letter.batch_id))


def _packed(data: bytes, encoding: str) -> bytes:
    if encoding == "gzip":
        import gzip

        return gzip.compress(data)
    if encoding == "zstd":
        import zstandard

        return zstandard.ZstdCompressor().compress(data)
    return data
