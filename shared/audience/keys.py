"""Where window states are kept: table `audience`, one partition per (content, k, hour)."""

from typing import Final

from shared.keys import partition_key
from shared.ports import Key
from shared.units import HOUR_MS, MINUTE_MS, WINDOW_MS

WINDOWS_PER_MINUTE: Final = MINUTE_MS // WINDOW_MS
WINDOWS_PER_HOUR: Final = HOUR_MS // WINDOW_MS

AUDIENCE_TABLE: Final = "audience"
MARKS_TABLE: Final = "audience-marks"
CONTENTS_TABLE: Final = "contents"


def window_of(timestamp_ms: int) -> int:
    """The number of the 5 s window that holds a time in ms since epoch."""
    return timestamp_ms // WINDOW_MS


def state_partition(content_id: str, k: int, hour: int) -> str:
    """The partition of a content's states in an hour (ms since epoch // 3,600,000)."""
    return f"{partition_key(content_id, k)}#{hour}"


def window_sort(window: int) -> str:
    """A window's sort key; sorts as the windows do."""
    return f"{window:012d}"


def state_key(content_id: str, k: int, window: int) -> Key:
    """The key of one state in table `audience`."""
    return state_partition(content_id, k, window // WINDOWS_PER_HOUR), window_sort(window)


def marks_page_key(content_id: str, k: int, window: int, page: int) -> Key:
    """The key of a page of a state's marks in table `audience-marks`."""
    partition, sort = state_key(content_id, k, window)
    return partition, f"{sort}#{page:06d}"


def active_partition(hour: int) -> str:
    """The partition of table `contents` that names who was told of in an hour."""
    return f"active#{hour}"
