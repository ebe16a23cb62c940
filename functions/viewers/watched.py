"""A viewer's watch time out of the viewer log. Imported when it is first asked for, since it needs numpy."""

from typing import Any

from msgspec.structs import asdict

from functions.watch.handler import VIEWER_LOG
from shared.ports import Ports
from shared.viewing.log import ViewerLog
from shared.viewing.watch_time import watch_time


def watched(ports: Ports, pseudonyms: list[bytes], from_ms: int, to_ms: int) -> dict[str, Any]:
    """The watch time of reports with from_ms <= timestamp < to_ms, as it is answered."""
    log = ViewerLog(ports.objects(VIEWER_LOG), ports.table(VIEWER_LOG))
    total, by_type = watch_time(log.read(pseudonyms, from_ms, to_ms))
    return {**asdict(total), "by_content_type": {name: asdict(times) for name, times in by_type.items()}}
