"""Firestore's rules of names and sizes (cloud.google.com/firestore/quotas, /docs/storage-size)."""

import re
from typing import Any, Final

from tests.emulators.google_rpc import Code, Refused

MAX_ID_BYTES: Final = 1_500
MAX_DOCUMENT_BYTES: Final = 1_048_576
MAX_VALUE_BYTES: Final = 1_048_487
MAX_REQUEST_BYTES: Final = 11_534_336
RESERVED: Final = re.compile(r"__.*__", re.DOTALL)


def split(name: str, database: str) -> tuple[str, str]:
    """A document's collection path and id. Raises Refused where the name is none of that database."""
    root = f"{database}/documents/"
    if not name.startswith(root):
        raise Refused(Code.INVALID_ARGUMENT, f'Document name "{name}" is not in "{database}".')
    parts = name.removeprefix(root).split("/")
    if len(parts) % 2:
        raise Refused(Code.INVALID_ARGUMENT, f'Document name "{name}" lacks "/" at index {len(name)}.')
    for part in parts:
        check_id(name, part)
    return "/".join(parts[:-1]), parts[-1]


def check_id(name: str, part: str) -> None:
    if part == "":
        raise Refused(Code.INVALID_ARGUMENT, f'Document name "{name}" has an empty part.')
    if part in (".", ".."):
        raise Refused(Code.INVALID_ARGUMENT, f'Document name "{name}" contains a resource id "{part}".')
    if RESERVED.fullmatch(part):
        raise Refused(Code.INVALID_ARGUMENT, f'Resource id "{part}" is invalid because it is reserved.')
    if len(part.encode()) > MAX_ID_BYTES:
        raise Refused(Code.INVALID_ARGUMENT, "The key path element name is longer than 1500 bytes.")


def check_size(document: Any, database: str) -> None:
    """Raises Refused where a document is larger than the service takes."""
    for field, value in document.fields.items():
        if _value_size(value) > MAX_VALUE_BYTES:
            raise Refused(
                Code.INVALID_ARGUMENT, f'The value of property "{field}" is longer than {MAX_VALUE_BYTES} bytes.'
            )
    size = _name_size(document.name, database) + 32 + _fields_size(document.fields)
    if size > MAX_DOCUMENT_BYTES:
        raise Refused(
            Code.INVALID_ARGUMENT,
            f"Document '{document.name}' cannot be written because its size ({size:,} bytes) exceeds the maximum "
            f"allowed size of {MAX_DOCUMENT_BYTES:,} bytes.",
        )


def _name_size(name: str, database: str) -> int:
    return 16 + sum(len(part.encode()) + 1 for part in name.removeprefix(f"{database}/documents/").split("/"))


def _fields_size(fields: Any) -> int:
    return sum(len(name.encode()) + 1 + _value_size(value) for name, value in fields.items())


def _value_size(value: Any) -> int:
    kind = value.WhichOneof("value_type")
    match kind:
        case "bytes_value":
            return len(value.bytes_value)
        case "string_value" | "reference_value":
            return len(getattr(value, kind).encode()) + 1
        case "map_value":
            return _fields_size(value.map_value.fields)
        case "array_value":
            return sum(map(_value_size, value.array_value.values))
        case _:
            return {"null_value": 1, "boolean_value": 1, "geo_point_value": 16}.get(kind, 8)
