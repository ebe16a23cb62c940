"""The Cloud Storage stand-in in a process of its own: delta-rs keeps Python from answering while it waits for it.

Its faults are asked for by a line on its standard input, and answered by one.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from tests.emulators.gcs import gcs

ROOT: Final = Path(__file__).resolve().parents[3]
STATUSES: Final = {"throttled": 429, "broken": 500}
METHODS: Final = ("GET", "HEAD", "PUT", "POST", "DELETE")
ALWAYS: Final = 1 << 30


@dataclass(frozen=True)
class RemoteStorage:
    """Where it listens."""

    url: str
    _asked: IO[str]
    _told: IO[str]

    @property
    def environ(self) -> dict[str, str]:
        return {"STORAGE_EMULATOR_HOST": self.url}

    @contextmanager
    def fault(self, kind: str) -> Iterator[None]:
        """Every request fails, until the block ends."""
        self._tell(kind)
        try:
            yield
        finally:
            self._tell("none")

    def _tell(self, kind: str) -> None:
        self._asked.write(f"{kind}\n")
        self._asked.flush()
        assert self._told.readline().strip() == kind


@contextmanager
def storage() -> Iterator[RemoteStorage]:
    """An empty Cloud Storage, until the block ends."""
    command = [sys.executable, "-m", "tests.contract.rigs.gcp_storage"]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield RemoteStorage(process.stdout.readline().strip(), process.stdin, process.stdout)
        finally:
            process.kill()


def main() -> None:
    """Serve, and heed what is asked, until standard input ends."""
    with gcs() as running, ExitStack() as stack:
        _say(running.url)
        for line in sys.stdin:
            kind = line.strip()
            stack.close()
            if kind == "down":
                stack.enter_context(running.faults.down())
            elif kind in STATUSES:
                for method in METHODS:
                    running.faults.fail(method, STATUSES[kind], ALWAYS)
                stack.callback(running.faults.clear)
            _say(kind)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
