"""The bytes of a request's body, decompressed under a limit."""

import zlib
from codecs import BOM_UTF8
from contextlib import suppress
from hashlib import sha256
from io import BytesIO
from typing import Final

import msgspec
import zstandard

from shared.errors import InvalidInput

GZIP_WINDOW: Final = 31
"""zlib's way to say: gzip, with a window of up to 32 KB."""
MAX_ZSTD_WINDOW_BYTES: Final = 8 * 1024 * 1024
"""What RFC 8878 asks every decoder to support; frames that want more are refused."""


def unpack(data: bytes, encoding: str, max_bytes: int) -> bytes:
    """`data` without its Content-Encoding (gzip, zstd, or identity) and without a byte order mark.

    Raises InvalidInput: 415 for another encoding, 413 past `max_bytes`, 400 for damaged data.
    """
    match encoding.strip().lower():
        case "" | "identity":
            plain = data
        case "gzip" | "x-gzip":
            plain = _gunzip(data, max_bytes)
        case "zstd":
            plain = _unzstd(data, max_bytes)
        case other:
            told = f"Content-Encoding {other[:40]!r} is not known; send gzip, zstd or none"
            raise InvalidInput(told, status=415, reason="encoding")
    if len(plain) > max_bytes:
        raise too_large(max_bytes)
    return plain.removeprefix(BOM_UTF8)


def digest_of(data: bytes, without: str | None = None) -> bytes:
    """What tells one body from another: SHA-256, since processors have instructions for it.

    `without` names a member of a JSON object that may differ when the same body is sent again.
    """
    if without is None:
        return sha256(data).digest()
    members = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    digest = sha256(b"apart from ")
    for name, value in members.items():
        if name != without:
            digest.update(msgspec.json.encode([name, value]))
    return digest.digest()


def too_large(max_bytes: int) -> InvalidInput:
    """The body holds more than the limit once it is decompressed."""
    return InvalidInput(
        f"the body is over {max_bytes} bytes once decompressed; send it in several", status=413, reason="too-large"
    )


def _gunzip(data: bytes, max_bytes: int) -> bytes:
    """Every member of a gzip file (RFC 1952), up to the limit and one byte."""
    parts: list[bytes] = []
    room = max_bytes + 1
    while data and room > 0:
        inflater = zlib.decompressobj(GZIP_WINDOW)
        try:
            part = inflater.decompress(data, room)
        except zlib.error as error:
            raise _damaged("gzip", error) from None
        parts.append(part)
        room -= len(part)
        if not inflater.eof and room > 0:
            raise _damaged("gzip", EOFError("it ends too early"))
        data = inflater.unused_data
    return b"".join(parts)


def _unzstd(data: bytes, max_bytes: int) -> bytes:
    """Every frame of the data, up to the limit and one byte."""
    decompressor = zstandard.ZstdDecompressor(max_window_size=MAX_ZSTD_WINDOW_BYTES)
    try:
        if 0 < zstandard.frame_content_size(data) <= max_bytes:
            with suppress(zstandard.ZstdError):
                return decompressor.decompress(data, allow_extra_data=False)
        with decompressor.stream_reader(BytesIO(data), read_across_frames=True) as reader:
            plain = reader.read(max_bytes + 1)
        if len(plain) <= max_bytes:
            _check_ends(decompressor, data)
        return plain
    except zstandard.ZstdError as error:
        raise _damaged("zstd", error) from None


def _check_ends(decompressor: zstandard.ZstdDecompressor, data: bytes) -> None:
    """The reader says nothing of a frame that is cut off; data known to be within the limit is read once more."""
    while data:
        frame = decompressor.decompressobj()
        frame.decompress(data)
        if not frame.eof:
            raise _damaged("zstd", EOFError("it ends too early"))
        data = frame.unused_data


def _damaged(encoding: str, error: Exception) -> InvalidInput:
    return InvalidInput(f"the body is not valid {encoding}: {error}", reason="unreadable")
