"""How a record travels inside a cloud's stream: framed with what the contract needs of it, in every cloud the same.

Layout: `GE` and a version byte; the record's id (16 bytes); when it was first appended (8 bytes, ms since epoch) and
the length of its key (2 bytes), little endian; the key in UTF-8; the body.
What cannot be opened is still a record, with all its bytes under a hash of them: it is rejected, never lost.
"""

import struct
from hashlib import blake2b
from typing import Final

from shared.ports import MAX_KEY_BYTES
from shared.stream import MAX_BODY_BYTES, RECORD_ID_BYTES, NewRecord, Record

MAGIC: Final = b"GE"
VERSION: Final = 1
_HEAD: Final = struct.Struct(f"<2sB{RECORD_ID_BYTES}sQH")
FOREIGN_KEY: Final = "foreign"


def refusal(record: NewRecord) -> str | None:
    """Why no stream takes a record, before anything is sent; None when it may be tried."""
    if len(record.record_id) != RECORD_ID_BYTES:
        return f"a record's id has {RECORD_ID_BYTES} bytes, this one {len(record.record_id)}"
    if len(record.body) > MAX_BODY_BYTES:
        return f"a record's body has at most {MAX_BODY_BYTES:,} bytes, this one {len(record.body):,}"
    try:
        key = record.key.encode()
    except UnicodeEncodeError:
        return "a record's key is text that UTF-8 can hold, this one is not"
    if len(key) > MAX_KEY_BYTES:
        return f"a record's key has at most {MAX_KEY_BYTES} bytes, this one {len(key)}"
    return None


def seal(record: NewRecord, now_ms: int) -> bytes:
    """The record's bytes in the stream. `now_ms` is when it is appended, unless it was before."""
    key = record.key.encode()
    first = now_ms if record.first_appended_at is None else record.first_appended_at
    return _HEAD.pack(MAGIC, VERSION, record.record_id, first, len(key)) + key + record.body


def open_record(
    data: bytes, *, partition: str, position: int | str | None, attempt: int | None, now_ms: int
) -> tuple[Record, str | None]:
    """The record that was sealed, and why it cannot be handled: None when it can."""
    data, now_ms = _replayed(data) or (data, now_ms)
    problem = _problem(data)
    if problem is not None:
        return Record(_foreign_id(data), FOREIGN_KEY, partition, position, now_ms, attempt, data), problem
    record_id, first, key, body = _parts(data)
    return Record(record_id, key, partition, position, first, attempt, body), None


def _replayed(data: bytes) -> tuple[bytes, int] | None:
    """What could not be opened once and was sealed as it was, and when it first was: this release may know it.

    Once and no deeper: a replay seals what came out here.
    """
    if _problem(data) is not None:
        return None
    record_id, first, key, body = _parts(data)
    return (body, first) if key == FOREIGN_KEY and record_id == _foreign_id(body) else None


def _parts(data: bytes) -> tuple[bytes, int, str, bytes]:
    """Id, first append, key and body of what has no problem."""
    _, _, record_id, first, length = _HEAD.unpack_from(data)
    body = _HEAD.size + length
    return record_id, first, data[_HEAD.size : body].decode(), data[body:]


def _foreign_id(data: bytes) -> bytes:
    return blake2b(data, digest_size=RECORD_ID_BYTES, person=b"foreign").digest()


def _problem(data: bytes) -> str | None:
    if data[:2] != MAGIC:
        return "unreadable: this is no record of ours; see who else writes to the stream"
    if data[2:3] != bytes([VERSION]):
        return f"unreadable: packed by another version ({data[2:3].hex()}); replay it with the release that knows it"
    if len(data) < _HEAD.size:
        return "unreadable: the record is cut off"
    length = _HEAD.unpack_from(data)[4]
    key = data[_HEAD.size : _HEAD.size + length]
    try:
        key.decode()
    except UnicodeDecodeError:
        return "unreadable: the record's key is no text"
    return "unreadable: the record is cut off" if len(key) < length else None
