"""`mark`: a moment that everyone should see in the curves."""

from typing import Annotated, Any

import typer

from adapters.cli.api import Api, content_path
from adapters.cli.options import DEFAULT_URL, AsJson, Key, Url
from adapters.cli.terminal import print_json, say


def mark(
    *,
    content: Annotated[str, typer.Argument(help="The content's id.")],
    kind: Annotated[str, typer.Argument(help="What it was: goal, advert, half_time ...")],
    label: Annotated[str, typer.Option(help="What people are shown.")] = "",
    at: Annotated[str | None, typer.Option(help="RFC 3339 or ms since epoch; now if unset.")] = None,
    url: Url = DEFAULT_URL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Mark a moment of a content."""
    body: dict[str, Any] = {"kind": kind, "label": label, **({"at": at} if at else {})}
    made = Api(url, key).post(content_path(content, "marks"), body)
    if as_json:
        print_json(made)
        return
    say(f"{made['kind']} marked at {made['at']} as {made['mark_id']}.")
