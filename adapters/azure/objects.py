"""Objects in Blob storage, each store a container.

By Azure's own SDK: Apache Libcloud's driver signs in with an account key or an application's secret, and a managed
identity has neither (docs/architecture.md).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from adapters.azure.errors import Resource, asked, code_of
from adapters.common.limits import name_bytes
from shared.errors import Unavailable

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

MAX_STORED: Final = 1_024
"""Characters of a blob's name."""
MAX_PARTS: Final = 254
"""Between slashes."""
PAGE: Final = 5_000
_HIGH: Final = 0x100
_LETTERS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWX"
_ODD: Final = re.compile(r"[\x00-!\[\\\x7f-\U0010ffff]|\.(?![>-\U0010ffff])")
_ESCAPED: Final = re.compile("![0-9A-X]|\\[[-_]|\\.=|[\u0100-\u01ff]+")

Names = tuple[str, ...]


class AzureObjects:
    """`shared.ports.ObjectStore`. Threads may share one."""

    def __init__(self, container: Callable[[], ContainerClient], resource: Resource) -> None:
        self._container = container
        self._resource = resource

    def get(self, name: str) -> bytes | None:
        return asked(self._resource, partial(self._read, _checked(name)))

    def put(self, name: str, data: bytes) -> None:
        stored = _checked(name)
        asked(self._resource, lambda: self._container().upload_blob(stored, data, length=len(data), overwrite=True))

    def list(self, prefix: str = "") -> Iterator[str]:
        # a dot at the prefix's end may be stored otherwise than the same dot inside a name
        start = stored_name(prefix).removesuffix("=") if prefix.endswith(".") else stored_name(prefix)
        page, token = asked(self._resource, partial(self._page, start, None))
        while True:
            yield from (name for name in map(own_name, page) if name is not None and name.startswith(prefix))
            if not token:
                return
            page, token = asked(self._resource, partial(self._page, start, token))

    def delete(self, name: str) -> None:
        asked(self._resource, partial(self._remove, _checked(name)))

    def _read(self, stored: str) -> bytes | None:
        from azure.core.exceptions import ResourceModifiedError, ResourceNotFoundError

        try:
            return self._container().download_blob(stored).readall()
        except ResourceNotFoundError as error:
            if code_of(error) == "BlobNotFound":
                return None
            raise
        except ResourceModifiedError as error:  # between two pieces of a large blob
            raise Unavailable(
                f"{self._resource.what}: an object was overwritten while it was read. Read again."
            ) from error

    def _remove(self, stored: str) -> None:
        from azure.core.exceptions import ResourceNotFoundError

        try:
            self._container().delete_blob(stored)
        except ResourceNotFoundError as error:
            if code_of(error) != "BlobNotFound":
                raise

    def _page(self, start: str, token: str | None) -> tuple[Names, str | None]:
        pages: Any = self._container().list_blob_names(name_starts_with=start, results_per_page=PAGE).by_page(token)
        return tuple(next(pages, ())), pages.continuation_token


def stored_name(name: str) -> str:
    """A name as a blob may have it, in the same order as before.

    Characters up to `!` become `!` and a digit or letter; `[` and `\\`, which Azure takes for `/`, become `[` and
    another; what lies past ASCII becomes a character above U+0100 for each of its UTF-8 bytes, so that no order of
    code units matters. A dot is followed by `=` unless a character past `=` follows it: no part is or ends in dots.
    """
    name.encode()  # what cannot be encoded cannot be stored
    return _ODD.sub(lambda found: _escape(found[0]), name)


def own_name(stored: str) -> str | None:
    """The name that is stored as this; None where it was not we who stored it."""
    try:
        name = _ESCAPED.sub(lambda found: _unescape(found[0]), stored)
        return name if stored_name(name) == stored else None
    except ValueError:
        return None


def _escape(character: str) -> str:
    match character:
        case "[":
            return "[-"
        case "\\":
            return "[_"
        case ".":
            return ".="
    if character <= "!":
        return "!" + _LETTERS[ord(character)]
    return "".join(chr(_HIGH + byte) for byte in character.encode())


def _unescape(escape: str) -> str:
    match escape:
        case "[-":
            return "["
        case "[_":
            return "\\"
        case ".=":
            return "."
    if escape.startswith("!"):
        return chr(_LETTERS.index(escape[1]))
    return bytes(ord(each) - _HIGH for each in escape).decode()


def _checked(name: str) -> str:
    """Raises ValueError past the limits."""
    name_bytes(name)
    stored = stored_name(name)
    if len(stored) > MAX_STORED or stored.count("/") >= MAX_PARTS:
        raise ValueError(f"this object's name has too many unusual characters to be stored: {name[:40]!r}…")
    return stored
