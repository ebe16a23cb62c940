"""Files that are whole or not there: written beside, renamed at the end; compressed as their name says."""

import gzip
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import BinaryIO, cast

import zstandard


@contextmanager
def writing(path: Path) -> Iterator[BinaryIO]:
    """A file to write bytes to; `.gz` and `.zst` compress. Equal bytes in give equal bytes out.

    A path that is no regular file (a pipe, /dev/stdout) is written to as it is.
    """
    special = path.exists() and not path.is_file()
    target = path if special else path.with_name(path.name + ".part")
    try:
        with ExitStack() as stack:
            raw = cast(BinaryIO, stack.enter_context(target.open("wb")))
            yield _compressed(raw, path.suffix, stack)
        if not special:
            target.replace(path)
    except BaseException:
        if not special:
            target.unlink(missing_ok=True)
        raise


def _compressed(raw: BinaryIO, suffix: str, stack: ExitStack) -> BinaryIO:
    if suffix == ".gz":
        packed = gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=1, mtime=0)
        return cast(BinaryIO, stack.enter_context(packed))
    if suffix == ".zst":
        writer = zstandard.ZstdCompressor(level=1).stream_writer(raw, closefd=False)
        return cast(BinaryIO, stack.enter_context(writer))
    return raw


@contextmanager
def reading(path: Path) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """A file's bytes, unpacked by its name's ending, and the file as it lies there: its position tells how far."""
    with ExitStack() as stack:
        raw = cast(BinaryIO, stack.enter_context(path.open("rb")))
        if path.suffix == ".gz":
            yield cast(BinaryIO, stack.enter_context(gzip.GzipFile(fileobj=raw))), raw
        elif path.suffix == ".zst":
            reader = zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True, closefd=False)
            yield stack.enter_context(BufferedReader(cast(RawIOBase, reader))), raw
        else:
            yield raw, raw
