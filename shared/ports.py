"""What the domain asks of a cloud. Each adapter implements these; `tests/contract` says whether it does.

Provider errors arrive as `shared.errors`: `Unavailable` or `Throttled` where trying again may help,
`VersionConflict` from conditional writes, `CorruptData`, `Misconfigured`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from shared.health.meter import Meters
from shared.stream import NewRecord

MAX_KEY_BYTES: Final = 256
MAX_VALUE_BYTES: Final = 256 * 1024
MAX_BATCH_GET: Final = 1_000
MAX_NAME_BYTES: Final = 900
"""Of an object's name in UTF-8: clouds end at 1,024 with the store's own prefix."""
MAX_MESSAGE_BYTES: Final = 45_000
"""Of a queue's message: Azure's 64 KiB are counted after base64."""

Key = tuple[str, str]
"""(partition, sort): each a string of 1 to 256 bytes in UTF-8, any character allowed."""


class Clock(Protocol):
    def now_ms(self) -> int:
        """Milliseconds since the epoch."""
        ...


class Stream(Protocol):
    def append(self, records: Sequence[NewRecord]) -> Sequence[str | None]:
        """Append records; one result each: None when it is durable, else the reason why it is not.

        Keyed records land on one partition; their order is never relied on. An unsure answer is a failure here:
        the caller appends again with the same `record_id`. Never raises for a single record.
        Raises Unavailable when nothing could be tried.
        """
        ...


@dataclass(frozen=True, slots=True)
class Item:
    """One stored value. `version` is opaque and never used twice, not even after delete or expiry."""

    partition: str
    sort: str
    value: bytes
    version: str
    expires_at: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Items in order of their sort key; `next` is handed back as `cursor` for the following page."""

    items: Sequence[Item]
    next: str | None


ABSENT: Final = ""
"""`if_version=ABSENT`: the write succeeds only where no item is, an expired one counting as none."""


class Table(Protocol):
    """Small values under (partition, sort). Nothing is atomic over two items.

    An expired item is never returned, whenever the provider gets to deleting it. Times are ms since epoch.
    Keys or values past the limits raise ValueError.
    """

    def get(self, partition: str, sort: str) -> Item | None: ...

    def batch_get(self, keys: Sequence[Key]) -> dict[Key, Item]:
        """The items that exist, strongly consistent; at most 1,000 keys."""
        ...

    def put(
        self,
        partition: str,
        sort: str,
        value: bytes,
        *,
        if_version: str | None = None,
        expires_at: int | None = None,
    ) -> str:
        """Write and return the new version. `if_version` None writes always; ABSENT only where nothing is.

        Raises VersionConflict when another version is there.
        """
        ...

    def delete(self, partition: str, sort: str, *, if_version: str | None = None) -> None:
        """Remove the item, if there is one. Raises VersionConflict as `put` does."""
        ...

    def query(
        self,
        partition: str,
        *,
        start: str = "",
        end: str | None = None,
        limit: int = 1_000,
        cursor: str | None = None,
    ) -> Page:
        """Items of one partition with start <= sort < end, in order of the sort key's UTF-8 bytes."""
        ...


def query_all(table: Table, partition: str, *, start: str = "", end: str | None = None) -> Iterator[Item]:
    """Every item of a range, page after page."""
    cursor: str | None = None
    while True:
        page = table.query(partition, start=start, end=end, cursor=cursor)
        yield from page.items
        if page.next is None:
            return
        cursor = page.next


class ObjectStore(Protocol):
    """Whole objects by name (`/` separates folders). A put is seen whole or not at all, and is durable.

    Names past the limit raise ValueError.
    """

    def get(self, name: str) -> bytes | None: ...

    def put(self, name: str, data: bytes) -> None: ...

    def list(self, prefix: str = "") -> Iterator[str]:
        """Names that start with `prefix`, in order."""
        ...

    def delete(self, name: str) -> None:
        """Remove the object; removing one that is not there is no error."""
        ...


class Queue(Protocol):
    def send(self, body: bytes, *, delay_seconds: int = 0) -> None:
        """Durable when it returns; delivered at least once, not before the delay. Too long a body is a ValueError."""
        ...


class Secrets(Protocol):
    def get(self, name: str) -> bytes:
        """The secret's current value, cached for a short while so that rotation needs no restart.

        Raises Misconfigured when there is none.
        """
        ...


@dataclass(frozen=True, slots=True)
class Mail:
    """One e-mail to one recipient."""

    to: str
    subject: str
    text: str
    html: str | None = None


class Mailer(Protocol):
    def send(self, mails: Sequence[Mail]) -> Sequence[str | None]:
        """Hand mails over; one result each: None when the provider took it, else why it did not.

        Raises Unavailable when nothing could be tried.
        """
        ...


class Warehouse(Protocol):
    def query(self, sql: str, parameters: dict[str, object]) -> list[dict[str, object]]:
        """Rows of one SELECT (DataFusion's SQL, `$name` parameters) over `fact_stream_events` and the `dim_` tables.

        Times are datetimes in UTC without a zone. Raises InvalidInput for any other SQL, and Unavailable.
        """
        ...


@dataclass(frozen=True)
class Ports:
    """What a composition root hands to a function. Each member makes its client when first called."""

    clock: Clock
    secrets: Secrets
    stream: Callable[[str], Stream]
    table: Callable[[str], Table]
    objects: Callable[[str], ObjectStore]
    queue: Callable[[str], Queue]
    mailer: Callable[[], Mailer]
    warehouse: Callable[[], Warehouse]
    history_uri: Callable[[], tuple[str, dict[str, str]]]
    """The Delta Lake root and delta-rs' storage options."""
    meter: Meters = field(default_factory=Meters)
    """`meter("ingest").count(...)`: what a function says of itself; its host writes it (shared/health)."""
