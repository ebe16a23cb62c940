"""Bodies are decompressed under a limit, whatever they claim."""

import gzip
import json

import pytest
import zstandard

from functions.ingest.unpack import digest_of, unpack
from shared.errors import InvalidInput

PLAIN = b"every goal is an event " * 1_000
LIMIT = 100_000


def zstd(data: bytes, *, told: bool = True) -> bytes:
    return zstandard.ZstdCompressor(write_content_size=told).compress(data)


def refused(data: bytes, encoding: str) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        unpack(data, encoding, LIMIT)
    return caught.value


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (PLAIN, ""),
        (PLAIN, "Identity"),
        (gzip.compress(PLAIN, mtime=0), "gzip"),
        (gzip.compress(PLAIN[:99], mtime=0) + gzip.compress(PLAIN[99:], mtime=0), "X-GZip"),
        (zstd(PLAIN), "zstd"),
        (zstd(PLAIN, told=False), "zstd"),
        (zstd(PLAIN[:99]) + zstd(PLAIN[99:]), "zstd"),
        (b"\xef\xbb\xbf" + PLAIN, ""),
        (gzip.compress(b"\xef\xbb\xbf" + PLAIN, mtime=0), "gzip"),
    ],
)
def test_every_known_encoding_gives_the_same_bytes(data: bytes, encoding: str) -> None:
    assert unpack(data, encoding, LIMIT) == PLAIN


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (bytes(LIMIT + 1), ""),
        (gzip.compress(bytes(50_000_000), mtime=0), "gzip"),
        (gzip.compress(bytes(60_000), mtime=0) * 2, "gzip"),
        (zstd(bytes(50_000_000)), "zstd"),
        (zstd(bytes(50_000_000), told=False), "zstd"),
        (zstd(bytes(60_000)) * 2, "zstd"),
    ],
)
def test_a_bomb_is_refused_with_the_limit(data: bytes, encoding: str) -> None:
    error = refused(data, encoding)
    assert error.status == 413
    assert str(LIMIT) in error.detail


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (PLAIN, "gzip"),
        (gzip.compress(PLAIN, mtime=0)[:-12], "gzip"),
        (b"\x1f\x8b", "gzip"),
        (PLAIN, "zstd"),
        (zstd(PLAIN)[:-5], "zstd"),
        (zstd(PLAIN, told=False)[:-5], "zstd"),
        (zstd(PLAIN) + b"more", "zstd"),
    ],
)
def test_damaged_data_is_refused(data: bytes, encoding: str) -> None:
    assert refused(data, encoding).status == 400


def test_an_unknown_encoding_is_refused_with_those_that_are_known() -> None:
    error = refused(PLAIN, "br")
    assert error.status == 415
    assert "zstd" in error.detail


def test_a_digest_leaves_out_when_a_body_was_sent_and_nothing_else() -> None:
    def digest(**members: object) -> bytes:
        return digest_of(json.dumps(members).encode(), "sent_at")

    first = digest(events=[{"text": "sent_at"}], sent_at=1)
    assert first == digest(events=[{"text": "sent_at"}], sent_at="2026-10-28T18:00:00Z")
    assert first != digest(events=[{"text": "sent_at "}], sent_at=1)
    assert first != digest(events=[{"text": "sent_at"}], sent_at=1, child=True)
    assert digest_of(b"[1]") != digest_of(b"[ 1]")
