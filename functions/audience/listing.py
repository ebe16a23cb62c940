"""Which contents a publish key may see: all but those that an operator has taken off the list."""

from typing import Final

from shared.audience.keys import CONTENTS_TABLE
from shared.keys import content_key
from shared.ports import Ports, query_all

UNLISTED: Final = "unlisted"


class Listings:
    """Table `contents`, partition `unlisted`: one item for each content that is not listed."""

    def __init__(self, ports: Ports) -> None:
        self._contents = ports.table(CONTENTS_TABLE)

    def listed(self, content_id: str) -> bool:
        """Whether a publish key may see the content."""
        return self._contents.get(UNLISTED, content_key(content_id)) is None

    def unlisted(self) -> frozenset[str]:
        """The ids of all contents that are not listed."""
        return frozenset(item.value.decode() for item in query_all(self._contents, UNLISTED))

    def set(self, content_id: str, listed: bool) -> None:
        """List the content or take it off the list; saying it twice is the same as once."""
        if listed:
            self._contents.delete(UNLISTED, content_key(content_id))
        else:
            self._contents.put(UNLISTED, content_key(content_id), content_id.encode())
