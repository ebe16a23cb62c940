"""Takes from a shared library what a debugger reads: symbols of its own, debug sections, the table of sections.

The dynamic linker reads segments only. pyarrow and zstandard are published with their symbols; the history's
functions would not fit into Lambda with them. Unlike `strip`, it works on any
machine for both processors' libraries.
"""

import struct
from pathlib import Path
from typing import Final

_MAGIC: Final = b"\x7fELF\x02\x01"
"""64 bits, little endian."""
_SECTIONS_AT: Final = 40
_SEGMENTS_AT: Final = 32
_COUNTS_AT: Final = 54
_HEADER_BYTES: Final = 64
_SEGMENT: Final = struct.Struct("<IIQQQQQQ")


def is_shared_library(name: str) -> bool:
    file = name.rpartition("/")[2]
    return file.endswith(".so") or ".so." in file


def strip(path: Path) -> None:
    """Shorten a shared library to its segments; what is none stays as it is."""
    value = path.read_bytes()
    shorter = stripped(value)
    if len(shorter) < len(value):
        mode = path.stat().st_mode
        path.unlink()  # the file may be one with uv's own copy
        path.write_bytes(shorter)
        path.chmod(mode)


def stripped(value: bytes) -> bytes:
    """The same library without what follows its last segment."""
    if not value.startswith(_MAGIC) or len(value) < _HEADER_BYTES:
        return value
    (segments,) = struct.unpack_from("<Q", value, _SEGMENTS_AT)
    each_bytes, count = struct.unpack_from("<HH", value, _COUNTS_AT)
    end = max(_HEADER_BYTES, segments + each_bytes * count)
    for index in range(count):
        _, _, offset, _, _, in_file, _, _ = _SEGMENT.unpack_from(value, segments + index * each_bytes)
        end = max(end, offset + in_file)
    if end >= len(value):
        return value
    header = bytearray(value[:end])
    struct.pack_into("<Q", header, _SECTIONS_AT, 0)
    struct.pack_into("<HHH", header, _COUNTS_AT + 4, 0, 0, 0)
    return bytes(header)
