"""What tests build: events as a player would tell them, and the records that ingest would make of them."""

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from itertools import count
from typing import Any

from events.event import TYPE_CODE, Event
from events.record import Profile, Profiles, RecordHeader, Rows, pack
from shared.keys import partition_key
from shared.stream import NewRecord, Record

KICK_OFF = 1_793_210_400_000
"""2026-10-28T18:00:00Z, the start of a window, a minute and an hour."""

PROFILE_FIELDS = ("device_type", "country", "tier", "age_group", "network_quality")
ROW_FIELDS = ("watched_ms", "bitrate_kbps", "position_seconds", "quality_level", "event_id")
IDENTITY_FIELDS = (
    "event_type",
    "event_timestamp",
    "content_id",
    "content_type",
    "viewer_id",
    "session_id",
    "consent",
    "child",
    "report_every_seconds",
)
SPARSE_FIELDS = tuple(
    name for name in Event.__struct_fields__ if name not in (*PROFILE_FIELDS, *ROW_FIELDS, *IDENTITY_FIELDS)
)

_serial = count(1)


def event(event_type: str = "heartbeat", **fields: Any) -> Event:
    """An event of ada's at kick-off, unless told otherwise."""
    values = {"event_timestamp": KICK_OFF, "content_id": "match", "viewer_id": "ada", "session_id": "ada-tv"}
    return Event(**{"event_type": event_type, **values, **fields})


def pseudonym(text: str) -> bytes:
    """A stand-in for ingest's keyed hash: 16 bytes for a viewer or session id."""
    return blake2b(text.encode(), digest_size=16, key=b"test").digest()


def profile_of(event: Event) -> Profile:
    """How ingest would store who tells `event`."""
    viewer_id, session_id = event.viewer_id or event.session_id or "", event.session_id or event.viewer_id or ""
    no_profile = bool(event.child) or event.consent == "none"
    return Profile(
        viewer=pseudonym(session_id if no_profile else viewer_id),
        session=pseudonym(session_id),
        consent=event.consent,
        report_every_seconds=event.report_every_seconds or 0,
        no_profile=no_profile,
        **{name: getattr(event, name) for name in PROFILE_FIELDS},
    )


def rows_of(events: Sequence[Event]) -> Rows:
    """Columns of events that belong to one record."""
    profiles = {profile: row for row, profile in enumerate(dict.fromkeys(map(profile_of, events)))}
    sparse: dict[str, tuple[Sequence[int], Sequence[Any]]] = {}
    for name in SPARSE_FIELDS:
        where = [row for row, each in enumerate(events) if getattr(each, name) is not None]
        if where:
            sparse[name] = (where, [getattr(events[row], name) for row in where])
    return Rows(
        profiles=Profiles.of(profiles),
        profile=[profiles[profile_of(each)] for each in events],
        type=bytes(TYPE_CODE[each.event_type] for each in events),
        timestamp=[each.event_timestamp for each in events],
        sparse=sparse,
        **{name: [getattr(each, name) for each in events] for name in ROW_FIELDS},
    )


def packed(events: Iterable[Event], **header: Any) -> NewRecord:
    """The record of events of one content. Header fields may be set by name; each record has an id of its own."""
    events = list(events)
    serial = next(_serial)
    defaults = {
        "record_id": serial.to_bytes(16, "big"),
        "content_id": events[0].content_id if events else "",
        "content_type": next((each.content_type for each in events if each.content_type), None),
        "k": 0,
        "reception": serial.to_bytes(8, "big"),
        "received_at": max((each.event_timestamp for each in events), default=KICK_OFF),
        "source": "test-key",
        "exact": True,
        "tally_window": min((each.event_timestamp for each in events), default=KICK_OFF) // 5_000,
        "received": len(events),
        "keys": ["k1"],
    }
    made = RecordHeader(**{**defaults, **header})
    body = pack(made, rows_of(events)) if events else pack(made)
    return NewRecord(made.record_id, partition_key(made.content_id, made.k), body)


def delivered(new: NewRecord, **fields: Any) -> Record:
    """`new` as a consumer is handed it."""
    values = {
        "record_id": new.record_id,
        "key": new.key,
        "partition": "0",
        "position": 0,
        "first_appended_at": KICK_OFF,
        "attempt": 1,
        "body": new.body,
    }
    return Record(**{**values, **fields})
