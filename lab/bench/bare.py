"""The yardstick: what it costs only to decode the events' JSON into typed structs, with msgspec."""

import msgspec


class BareEvent(msgspec.Struct, gc=False):
    """The fact table's fields, as the benchmarks' events carry them."""

    event_id: str
    viewer_id: str
    content_id: str
    session_id: str
    event_type: str
    event_timestamp: int
    position_seconds: float
    watched_ms: int
    quality_level: str
    bitrate_kbps: int
    device_type: str
    network_quality: str
    country: str
    tier: str
    age_group: str


decode = msgspec.json.Decoder(list[BareEvent]).decode
"""A JSON array of events, decoded."""

decode_lines = msgspec.json.Decoder(BareEvent).decode_lines
"""NDJSON, decoded."""
