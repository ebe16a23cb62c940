"""A zip file whose bytes are those of its contents: names in order, one time, fixed modes."""

import binascii
import struct
import zlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Final

from adapters.packaging.cache import Cache

LEVEL: Final = 6
_DATE: Final = (1980 - 1980) << 9 | 1 << 5 | 1
_TIME: Final = 0
_VERSION: Final = 20
_UNIX: Final = 3
_DEFLATED: Final = 8
_UTF8: Final = 0x800
_FILE: Final = 0o100644
_PROGRAM: Final = 0o100755
_MOST_FILES: Final = 0xFFFF
_MOST_BYTES: Final = 0xFFFFFFFF
_WORKERS: Final = 4


@dataclass(frozen=True, slots=True)
class Member:
    """A file of an archive: its name there, where its bytes are, their size and SHA-256, and whose it is.

    `origin`: the distribution; empty: ours.
    """

    name: str
    path: Path
    size: int
    sha256: str
    origin: str = ""

    @property
    def mode(self) -> int:
        return _PROGRAM if self.name.endswith(".so") or ".so." in self.name.rpartition("/")[2] else _FILE


@dataclass(frozen=True, slots=True)
class Written:
    """Bytes of the archive, and the SHA-256 of the whole."""

    size: int
    sha256: str


def member(name: str, path: Path) -> Member:
    """A file as it is now."""
    value = path.read_bytes()
    return Member(name, path, len(value), sha256(value).hexdigest())


def write_archive(path: Path, members: Iterable[Member], cache: Cache) -> Written:
    """Write the archive; its folder must exist. Files that were deflated before are copied from the cache."""
    ordered = sorted(members, key=lambda each: each.name)
    if len(ordered) > _MOST_FILES or sum(each.size for each in ordered) > _MOST_BYTES:
        raise AssertionError(f"{path.name}: more than a plain zip file holds")
    hashed = sha256()
    with path.open("wb") as file, ThreadPoolExecutor(_WORKERS) as workers:
        directory = bytearray()
        for each, deflated in zip(ordered, workers.map(lambda each: _deflated(each, cache), ordered), strict=True):
            directory += _write_member(file, hashed.update, each, deflated.read_bytes())
        start = file.tell()
        end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, len(ordered), len(ordered), len(directory), start, 0)
        for part in (bytes(directory), end):
            file.write(part)
            hashed.update(part)
        return Written(file.tell(), hashed.hexdigest())


def _write_member(file: BinaryIO, note: Callable[[bytes], None], each: Member, kept: bytes) -> bytes:
    """Write one member; returns its entry of the directory."""
    crc, data = struct.unpack_from("<I", kept)[0], memoryview(kept)[4:]
    name = each.name.encode()
    flags = 0 if each.name.isascii() else _UTF8
    common = struct.pack(
        "<HHHHHIIIHH", _VERSION, flags, _DEFLATED, _TIME, _DATE, crc, len(data), each.size, len(name), 0
    )
    offset = file.tell()
    for part in (struct.pack("<I", 0x04034B50) + common + name, bytes(data)):
        file.write(part)
        note(part)
    made_by = struct.pack("<IH", 0x02014B50, _UNIX << 8 | _VERSION)
    return made_by + common + struct.pack("<HHHII", 0, 0, 0, each.mode << 16, offset) + name


def _deflated(each: Member, cache: Cache) -> Path:
    """The file in the cache that holds the member's CRC-32 (4 bytes) and its deflated bytes."""
    made_with = f"{LEVEL}-{zlib.ZLIB_RUNTIME_VERSION}"
    kept = cache.root / "deflated" / made_with / each.sha256[:2] / each.sha256
    if not kept.exists():
        value = each.path.read_bytes()
        squeeze = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        deflated = squeeze.compress(value) + squeeze.flush()
        cache.write(kept, struct.pack("<I", binascii.crc32(value)) + deflated)
    return kept
