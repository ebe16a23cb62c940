"""merge_watch: the viewer log's many small blocks into few, and its oldest hours out."""

from functions.watch.handler import VIEWER_LOG
from shared.ports import Ports
from shared.settings import Settings
from shared.stream import Deadline, Run
from shared.units import HOUR_MS
from shared.viewing.log import ViewerLog, all_buckets


def make(ports: Ports, settings: Settings) -> Run:
    """The scheduled merge of every bucket."""

    def run(deadline: Deadline) -> bool:
        log = ViewerLog(ports.objects(VIEWER_LOG), ports.table(VIEWER_LOG))
        now = ports.clock.now_ms()
        oldest = now // HOUR_MS - 24 * settings.history_days
        for bucket in all_buckets():
            if deadline.near(5_000):
                return True
            log.merge(bucket, now)
            log.forget(bucket, oldest)
        return True

    return run
