"""The tables of the history, as analysts see them; docs/history.md says what each column means."""

from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from shared.viewing.attributes import NAMES

if TYPE_CHECKING:
    ArrowArray = pa.Array[Any]
else:
    ArrowArray = pa.Array

FACTS: Final = "fact_stream_events"
CONTENT: Final = "dim_content"
USERS: Final = "dim_users"

TIME: Final = pa.timestamp("us", tz="UTC")

WORDS: Final = ("device_type", "network_quality", "country", "tier", "age_group", "consent")
"""Columns that a record tells once per profile, under the same names."""

SPARSE: Final[dict[str, pa.DataType]] = {
    "stall_ms": pa.int64(),
    "startup_ms": pa.int64(),
    "buffer_ms": pa.int64(),
    "throughput_kbps": pa.int64(),
    "playback_rate": pa.float64(),
    "player_state": pa.string(),
    "seek_from_seconds": pa.float64(),
    "error_code": pa.string(),
    "reaction": pa.string(),
    "text": pa.string(),
    "poll_id": pa.string(),
    "option": pa.string(),
    "rating": pa.float64(),
    "follow_kind": pa.string(),
    "follow_id": pa.string(),
    "ad_id": pa.string(),
}
"""Columns that few events fill. A field that has none here is kept in `extra`, a JSON object."""

_COLUMNS: Final[dict[str, pa.DataType]] = {
    "event_id": pa.string(),
    "viewer_id": pa.string(),
    "content_id": pa.string(),
    "session_id": pa.string(),
    "event_type": pa.string(),
    "event_timestamp": TIME,
    "position_seconds": pa.float64(),
    "watched_ms": pa.int64(),
    "quality_level": pa.string(),
    "bitrate_kbps": pa.int64(),
    **{name: pa.string() for name in WORDS},
    "content_type": pa.string(),
    "received_at": TIME,
    "report_every_seconds": pa.int32(),
    "sample_weight": pa.int32(),
    "no_profile": pa.bool_(),
    "exact": pa.bool_(),
    "source": pa.string(),
    "record_id": pa.string(),
    **SPARSE,
    "extra": pa.string(),
}

ROWS: Final = pa.schema(_COLUMNS)
"""What a data file holds."""

STAGED: Final = ROWS.append(pa.field("first_appended_at", pa.int64()))
"""What a staged file holds once its words are decoded; `first_appended_at` is in ms since epoch."""

_PARTITION: Final[dict[str, pa.DataType]] = {"date": pa.date32(), "hour": pa.int32()}
PARTITION: Final = pa.schema(_PARTITION)
PARTITION_BY: Final = ("date", "hour")
FACT_SCHEMA: Final = pa.unify_schemas([ROWS, PARTITION])

SORTED_BY: Final = ("content_id", "viewer_id", "event_timestamp", "record_id", "event_id")
"""The order of rows inside a data file: a viewer's events lie together, which is what makes them small."""

_CONTENT: Final[dict[str, pa.DataType]] = {
    "content_id": pa.string(),
    "content_type": pa.string(),
    "title": pa.string(),
    "first_seen": TIME,
    "last_seen": TIME,
}
CONTENT_SCHEMA: Final = pa.schema(_CONTENT)

_USERS: Final[dict[str, pa.DataType]] = {name: pa.string() for name in ("viewer_id", *NAMES)}
USERS_SCHEMA: Final = pa.schema(_USERS)

SCHEMAS: Final = {FACTS: FACT_SCHEMA, CONTENT: CONTENT_SCHEMA, USERS: USERS_SCHEMA}
