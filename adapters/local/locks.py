"""Who works on a data folder: locks that end with their holder, however it dies (flock(2))."""

import fcntl
import os
import time
from pathlib import Path
from typing import Final

from shared.errors import Misconfigured

SUITE_LOCK: Final = "serve.lock"
CONSUMER_LOCK: Final = "consumers.lock"
ORPHAN_SECONDS: Final = 15.0


def lock_folder(folder: Path, wait_seconds: float = ORPHAN_SECONDS) -> int:
    """Take the folder for this suite; the descriptor holds it, and so does every child that inherits it.

    When a suite was killed its children end a moment later: that moment is waited for. A suite that lives is not.
    Raises Misconfigured when the folder is in use.
    """
    path = folder / SUITE_LOCK
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + wait_seconds
    while not _try_lock(descriptor, fcntl.LOCK_EX):
        holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip()
        if _lives(holder) or time.monotonic() > deadline:
            os.close(descriptor)
            raise Misconfigured(
                f"Another serve is using {folder} (pid {holder or 'unknown'}). Stop it, or choose another folder "
                "with --data."
            )
        time.sleep(0.05)
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    return descriptor


def hold_consumer_lock(folder: Path) -> int:
    """Say that the consumers of this folder run, as long as this process lives."""
    descriptor = os.open(folder / CONSUMER_LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


def consumers_run(folder: Path) -> bool:
    """Whether a process consumes the streams of this folder."""
    try:
        descriptor = os.open(folder / CONSUMER_LOCK, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        return not _try_lock(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lives(pid: str) -> bool:
    if not pid.isdigit() or int(pid) == os.getpid():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _is_zombie(pid)


def _is_zombie(pid: str) -> bool:
    """Whether a dead process only waits for its parent to notice (Linux's /proc; elsewhere: no)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (OSError, IndexError):
        return False
