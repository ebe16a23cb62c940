"""`schema`: what an event looks like, and what the stream carries."""

from enum import StrEnum
from typing import Annotated

import typer

from adapters.cli.terminal import print_json


class Document(StrEnum):
    """Which document to print."""

    event = "event"
    asyncapi = "asyncapi"


def schema(
    document: Annotated[
        Document, typer.Argument(help="The JSON Schema of the native event, or the AsyncAPI of the stream.")
    ] = Document.event,
) -> None:
    """The JSON Schema of the native event, or the AsyncAPI document of the stream."""
    from events import schema as schemas

    print_json(schemas.asyncapi() if document is Document.asyncapi else schemas.native_event_schema())
