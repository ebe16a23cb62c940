"""The tables of the history as Delta Lake types, and where things lie; docs/history.md says what each column means.

No Arrow here, so that a function that only asks or names things can do without. schema.py has the same for Arrow.
"""

from typing import Final

FACTS: Final = "fact_stream_events"
CONTENT: Final = "dim_content"
USERS: Final = "dim_users"

STAGING: Final = "staging"
"""The object store in which staged files lie."""
BATCHES: Final = "batches/"
"""Where they wait for the committer; those that cannot be read are set aside under DAMAGED."""
DAMAGED: Final = "damaged/"

WORDS: Final = ("device_type", "network_quality", "country", "tier", "age_group", "consent")
"""Columns that a record tells once per profile, under the same names."""

SPARSE: Final = {
    "stall_ms": "long",
    "startup_ms": "long",
    "buffer_ms": "long",
    "throughput_kbps": "long",
    "playback_rate": "double",
    "player_state": "string",
    "seek_from_seconds": "double",
    "error_code": "string",
    "reaction": "string",
    "text": "string",
    "poll_id": "string",
    "option": "string",
    "rating": "double",
    "follow_kind": "string",
    "follow_id": "string",
    "ad_id": "string",
}
"""Columns that few events fill. A field that has none here is kept in `extra`, a JSON object."""

ROW: Final = {
    "event_id": "string",
    "viewer_id": "string",
    "content_id": "string",
    "session_id": "string",
    "event_type": "string",
    "event_timestamp": "timestamp",
    "position_seconds": "double",
    "watched_ms": "long",
    "quality_level": "string",
    "bitrate_kbps": "long",
    **dict.fromkeys(WORDS, "string"),
    "content_type": "string",
    "received_at": "timestamp",
    "report_every_seconds": "integer",
    "sample_weight": "integer",
    "no_profile": "boolean",
    "exact": "boolean",
    "source": "string",
    "record_id": "string",
    **SPARSE,
    "extra": "string",
}
"""What a data file of the facts holds."""

PARTITION: Final = {"date": "date", "hour": "integer"}

COLUMNS: Final[dict[str, dict[str, str]]] = {
    FACTS: {**ROW, **PARTITION},
    CONTENT: {
        "content_id": "string",
        "content_type": "string",
        "title": "string",
        "first_seen": "timestamp",
        "last_seen": "timestamp",
    },
    USERS: dict.fromkeys(("viewer_id", "age_group", "country", "language", "subscription", "join_date"), "string"),
}

PARTITION_BY: Final = {FACTS: tuple(PARTITION)}
"""The columns by which a table is partitioned, of those that are."""

SORTED_BY: Final = ("content_id", "viewer_id", "event_timestamp", "record_id", "event_id")
"""The order of rows inside a data file: a viewer's events lie together, which is what makes them small."""
