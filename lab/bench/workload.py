"""The events that the benchmarks share: 366 bytes each, of a match with many viewers and, if asked, many contents."""

import random
from collections.abc import Iterator
from time import time
from typing import NamedTuple

EVENT_BYTES = 366
STEP_MS = 500
"""A viewer's events are this far apart: 20 of them cover a reporting interval."""
SPAN_MS = 50_000
"""How far the first and the last body lie apart."""

TEMPLATE = (
    '","viewer_id":"v-%08d","content_id":"%s","session_id":"%s","event_type":"%s","event_timestamp":%d,'
    '"position_seconds":%d,"watched_ms":%d,"quality_level":"%s","bitrate_kbps":%s,"device_type":"%s",'
    '"network_quality":"%s","country":"%s","tier":"%s","age_group":"%s"}'
)
TYPES = ("heartbeat",) * 17 + ("play", "pause", "quality_change")
QUALITIES = ((1080, 5200), (720, 2800), (480, 1400), (2160, 9800))
DEVICES = ("smart_tv", "mobile", "desktop", "tablet", "console")
NETWORKS = ("excellent", "good", "fair", "poor")
COUNTRIES = ("DE", "FR", "GB", "US", "BR", "IN", "JP", "NG", "PL", "ES")
TIERS = ("free", "standard", "premium")
AGES = ("18-24", "25-34", "35-44", "45-54", "55+")


def recently() -> int:
    """A minute's start, two to three minutes ago, in ms since epoch: what ingest accepts, and all of it is past."""
    return (int(time()) // 60 - 2) * 60_000


def bodies(
    count: int,
    *,
    start_ms: int,
    events: int = 500,
    viewers: int = 25,
    contents: int = 10,
    seed: int = 7,
) -> Iterator[list[bytes]]:
    """`count` bodies of `events` events by `viewers` viewers each, as JSON objects of 366 bytes.

    A body speaks of one content and of a few seconds; one comes after the other, from `start_ms` on. The same
    arguments give the same bytes.
    """
    chance = random.Random(seed)
    for number in range(count):
        content = f"match-{number % contents:06d}"
        people = [_viewer(chance, number * viewers + index, content) for index in range(viewers)]
        began = start_ms + SPAN_MS * number // count
        yield [_event(chance, people[index % viewers], began, index // viewers) for index in range(events)]


def array(body: list[bytes]) -> bytes:
    """A body as a JSON array."""
    return b"[" + b",".join(body) + b"]"


class Viewer(NamedTuple):
    number: int
    content: str
    session: str
    profile: tuple[str, ...]


def _viewer(chance: random.Random, number: int, content: str) -> Viewer:
    quality, bitrate = chance.choice(QUALITIES)
    profile = [chance.choice(values) for values in (DEVICES, NETWORKS, COUNTRIES, TIERS, AGES)]
    return Viewer(number, content, f"{chance.getrandbits(64):016x}", (f"{quality}p", str(bitrate), *profile))


def _event(chance: random.Random, viewer: Viewer, began: int, step: int) -> bytes:
    moment = began + step * STEP_MS + chance.randrange(STEP_MS)
    kind = chance.choice(TYPES)
    watched = STEP_MS if kind == "heartbeat" else 0
    position = step * STEP_MS // 1000
    rest = TEMPLATE % (*viewer[:3], kind, moment, position, watched, *viewer.profile)
    head = f'{{"event_id":"{chance.getrandbits(160):040x}'
    return (head[: EVENT_BYTES - len(rest)] + rest).encode()
