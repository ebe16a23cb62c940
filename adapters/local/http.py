"""The HTTP functions of a manifest in one uvicorn process, on a socket that others may share."""

import gc
import signal
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from adapters.local import page
from adapters.local.locks import consumers_run
from adapters.local.pulsing import ProcessorTime, Pulsing
from adapters.local.suite import Suite
from functions.http.app import build_app
from functions.http.endpoint import Endpoint
from functions.http.metered import metered
from functions.manifest import Function, Http
from shared.settings import Settings

KEEP_ALIVE_SECONDS: Final = 75
DRAIN_SECONDS: Final = 10
BACKLOG: Final = 2_048


def make_app(functions: Sequence[Function], suite: Suite, settings: Settings, *, loopback: bool) -> ASGIApp:
    """The app of every HTTP function; it is ready when the folder's consumers run."""
    endpoints: list[Endpoint] = page.make()
    for function in functions:
        if isinstance(function.trigger, Http):
            meter = suite.ports.meter(function.name)
            endpoints += [metered(each, meter) for each in function.load()(suite.ports, settings)]
    pulsing = Pulsing(suite, ProcessorTime(suite.ports.meter).split)

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        gc.freeze()  # what was loaded to start with stays, so no collection need look at it
        pulsing.start()
        yield
        pulsing.stop()
        suite.close()

    return build_app(
        endpoints, suite.ports, settings, loopback=loopback, lifespan=lifespan, ready=lambda: _waiting(suite.data_dir)
    )


def run(app: ASGIApp, listener: socket.socket) -> None:
    """Serve until SIGTERM; then finish what was begun."""
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=DRAIN_SECONDS,
        )
    )
    # uvicorn raises the signal again once it has drained; this handler takes it, and any that comes before
    signal.signal(signal.SIGTERM, server.handle_exit)
    server.run(sockets=[listener])


def _waiting(data_dir: Path) -> str | None:
    return None if consumers_run(data_dir) else "the stream consumers are not running yet"
