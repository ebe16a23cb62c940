"""Options that several commands share."""

from typing import Annotated

import typer

DEFAULT_URL = "http://127.0.0.1:8080"

Url = Annotated[str, typer.Option("--url", envvar="GRANDSTAND_URL", help="Where the suite is served.")]
Key = Annotated[
    str | None,
    typer.Option("--key", envvar="GRANDSTAND_KEY", help="The key that opens this; none is needed on loopback."),
]
To = Annotated[str, typer.Option("--to", metavar="URL", help="The suite to post to.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]
