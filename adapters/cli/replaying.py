"""`replay`: post what was recorded elsewhere."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from adapters.cli.options import AsJson, Key


class Format(StrEnum):
    """How a file's reports are written."""

    native = "native"
    cmcd_query = "cmcd-query"
    cmcd_headers = "cmcd-headers"
    segment = "segment"
    cloudevents = "cloudevents"


def replay(
    *,
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, readable=True, help=".gz and .zst are unpacked.")
    ],
    format_: Annotated[Format, typer.Option("--format", help="How the reports are written.")],
    to: Annotated[str, typer.Option(metavar="URL", envvar="GRANDSTAND_URL", help="The suite to post to.")],
    content: Annotated[str | None, typer.Option(metavar="ID", help="Report it all as being of this content.")] = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Post a file of recorded reports. A second run counts nothing twice where the format lets the suite tell."""
    from adapters.cli.api import Api
    from adapters.cli.posting import moving, post, report
    from adapters.cli.terminal import Failed
    from lab.crowd.files import reading
    from lab.recordings import FORMATS
    from lab.sender import Sender

    Api(to).check()
    sender = Sender(to, key=key)

    async def play() -> None:
        with reading(file) as (lines, raw), moving(file.name, file.stat().st_size) as moved:
            async with sender:
                for message in FORMATS[format_](lines, content):
                    await sender.send(message)
                    moved(raw.tell(), sender.tally.sent)

    post(to, play())
    if not sender.tally.sent:
        raise Failed(f"{file} holds nothing that --format {format_} can read.")
    report(f"Replayed {file.name}", sender.tally.told(), as_json=as_json)
