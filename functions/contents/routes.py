"""What is known of contents beside their audience: the catalogue, marked moments and the overview of them all."""

from functions.contents import entries, marks, overview
from functions.http.endpoint import Endpoint
from shared.ports import Ports
from shared.settings import Settings


def make(ports: Ports, settings: Settings) -> list[Endpoint]:
    """The endpoints of one suite."""
    return [*overview.make(ports), *entries.make(ports), *marks.make(ports, settings)]
