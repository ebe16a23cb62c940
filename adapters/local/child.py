"""One process of a suite, as its supervisor starts it: `python -m adapters.local.child`, its order on stdin.

The order is one line of JSON; the pipe then stays open. When it ends the supervisor is dead, and so is this process
at once: whatever it was doing is safe to be done again. SIGTERM, on the other hand, lets it finish.
"""

import logging
import os
import signal
import socket
import sys
import threading
import time
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from adapters.local.logs import start_logging
from functions.manifest import Function
from shared.errors import CorruptData, Misconfigured
from shared.settings import Settings

log = logging.getLogger("grandstand.serve")

HOPELESS: Final = 78
"""The exit status of a process that cannot start until somebody mends something (EX_CONFIG of sysexits.h)."""
ORPHANED: Final = 70


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What a process is to do."""

    role: Literal["http", "consumers"]
    data_dir: str
    settings: Settings
    functions: str
    """Where the functions are listed: `module:NAME`."""
    loopback: bool = True
    listener: int = -1
    """The descriptor of the listening socket, for `http`."""


def load_functions(where: str) -> tuple[Function, ...]:
    """The functions listed at `module:NAME`."""
    module, _, name = where.partition(":")
    functions: Any = getattr(import_module(module), name)
    return tuple(functions)


def main() -> int:
    """Do what the order says; the exit status."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    order = msgspec.json.decode(_read_line(), type=Order)
    start_logging(order.role)
    threading.Thread(target=_die_with_parent, daemon=True).start()
    try:
        (_serve_http if order.role == "http" else _consume)(order)
    except (Misconfigured, CorruptData) as error:
        log.error("%s cannot start: %s", order.role, error)
        return HOPELESS
    except ImportError as error:
        log.exception("%s cannot start: %s. If a package is missing, grandstand doctor lists it.", order.role, error)
        return HOPELESS
    return 0


def _serve_http(order: Order) -> None:
    from adapters.local.http import make_app, run
    from adapters.local.suite import Suite

    suite = Suite(Path(order.data_dir), order.settings)
    app = make_app(load_functions(order.functions), suite, order.settings, loopback=order.loopback)
    run(app, socket.socket(fileno=order.listener))


def _consume(order: Order) -> None:
    from adapters.local.consumers import Host
    from adapters.local.locks import hold_consumer_lock
    from adapters.local.suite import Suite

    stopping: list[bool] = []
    suite = Suite(Path(order.data_dir), order.settings)
    host = Host(load_functions(order.functions), suite, order.settings)
    signal.signal(signal.SIGTERM, lambda *_: stopping.append(True))
    host.start()
    lock = hold_consumer_lock(suite.data_dir)
    while not stopping:
        time.sleep(0.05)
    host.stop()
    suite.close()
    os.close(lock)


def _read_line() -> bytes:
    """A line of stdin, unbuffered: a buffer's lock would be in the way when the process ends."""
    line = bytearray()
    while (byte := os.read(0, 1)) not in (b"", b"\n"):
        line += byte
    return bytes(line)


def _die_with_parent() -> None:
    while os.read(0, 64):
        pass
    os._exit(ORPHANED)


if __name__ == "__main__":
    sys.exit(main())
