"""`rebuild`: records that came after the horizon, counted by what the history says."""

import os
from pathlib import Path
from typing import Annotated

import typer

from adapters.cli.options import AsJson
from adapters.cli.serving import DEFAULT_DATA
from adapters.cli.terminal import FAILED, Failed, print_json, say


def rebuild(
    data: Annotated[Path, typer.Option(help="The data folder of `serve`, which may be running.")] = DEFAULT_DATA,
    as_json: AsJson = False,
) -> None:
    """Count the records that came after the horizon, where the history says that they were not."""
    from dataclasses import asdict

    from adapters.local.suite import Suite
    from functions.rebuild.rebuild import rebuild as run
    from shared.settings import load_settings

    if not data.is_dir():
        raise Failed(f"there is no data folder {data}; name the one that `serve` uses with --data.")
    settings = load_settings(os.environ)
    suite = Suite(data, settings)
    try:
        rebuilt = run(suite.ports, settings)
    finally:
        suite.close()
    if as_json:
        print_json(asdict(rebuilt))
    else:
        say(f"{len(rebuilt.counted)} counted now, {len(rebuilt.known)} had been counted before.")
        for record_id, reason in rebuilt.unsure.items():
            say(f"{record_id} stays where it is: {reason}")
    if rebuilt.unsure:
        raise typer.Exit(FAILED)
