"""`serve`: the whole suite on this machine."""

import os
from pathlib import Path
from typing import Annotated

import typer

DEFAULT_DATA = Path(".grandstand")


def serve(
    data: Annotated[Path, typer.Option(help="The folder that holds everything.")] = DEFAULT_DATA,
    host: Annotated[str, typer.Option(help="Elsewhere than on loopback, keys are needed.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8080,
    workers: Annotated[int, typer.Option(min=1, help="HTTP processes.")] = 1,
) -> None:
    """The whole suite on this machine: HTTP, stream consumers, schedules. Ctrl-C drains and stops."""
    from adapters.local.serve import serve as run
    from shared.settings import load_settings

    raise typer.Exit(run(data, host, port, workers, load_settings(os.environ)))
