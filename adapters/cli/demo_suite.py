"""The suite as a process beside the demo."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from adapters.cli.terminal import Failed

_START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 60.0
_LOG_LINES: Final = 10


@contextmanager
def served(folder: Path, port: int) -> Iterator[str]:
    """Serve from a folder; yields the address when requests are answered, and stops in order at the end."""
    log = folder / "serve.log"
    command = [
        sys.executable,
        "-m",
        "adapters.cli.main",
        "serve",
        "--data",
        str(folder / "data"),
        "--port",
        str(port),
    ]
    url = f"http://127.0.0.1:{port}"
    with log.open("wb") as said:
        # Ctrl-C is for the demo, which stops the suite when it has shown the summary
        process = subprocess.Popen(  # noqa: S603 - our own command
            command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True
        )
    try:
        _wait(url, process, log)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    import httpx

    give_up = time.monotonic() + _START_SECONDS
    while time.monotonic() < give_up:
        if process.poll() is not None:
            raise Failed(f"the suite did not start:\n{_tail(log)}")
        try:
            if httpx.get(f"{url}/healthz", trust_env=False).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise Failed(f"the suite did not answer within {_START_SECONDS:.0f} s:\n{_tail(log)}")


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-_LOG_LINES:])
