"""rebuild: settles what came after the horizon, when an operator asks for it (POST /v1/rebuild)."""

import logging
from dataclasses import asdict

from functions.rebuild.rebuild import BEHIND, rebuild
from shared.ports import Ports
from shared.rebuilding import REBUILD_ORDER
from shared.settings import Settings
from shared.stream import DONE, Answer, Deadline, Message, MessageHandler, Reject, Retry

log = logging.getLogger("grandstand.rebuild")


def make(ports: Ports, settings: Settings) -> MessageHandler:
    """The consumer of queue `rebuild`. What it does may be done again, so a message that comes twice is no harm."""

    def handle(message: Message, _: Deadline) -> Answer | None:
        if message.body != REBUILD_ORDER:
            return Reject("unreadable: this is no order to rebuild; see who else sends to the queue")
        rebuilt = rebuild(ports, settings)
        log.info("rebuilt %s", asdict(rebuilt))
        return Retry(BEHIND) if BEHIND in rebuilt.unsure.values() else DONE

    return handle
