"""The whole suite on one machine: a supervisor, HTTP processes that share a socket, and a process of consumers."""

import ipaddress
import json
import logging
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from adapters.local.child import HOPELESS, Order
from adapters.local.http import BACKLOG, DRAIN_SECONDS
from adapters.local.locks import lock_folder
from adapters.local.logs import start_logging
from adapters.local.secrets import FILE
from adapters.local.suite import Suite
from shared.errors import Misconfigured, Unavailable
from shared.ports import Secrets
from shared.settings import Settings

log = logging.getLogger("grandstand.serve")

MANIFEST: Final = "functions.manifest:FUNCTIONS"
TICK_SECONDS: Final = 0.05
STOP_SECONDS: Final = 60.0
"""For a batch in hand to be finished."""
STEADY_SECONDS: Final = 30.0
LONGEST_PAUSE_SECONDS: Final = 10.0


def serve(
    data_dir: Path, host: str, port: int, workers: int, settings: Settings, *, functions: str = MANIFEST
) -> int:
    """Serve until SIGTERM or SIGINT, then drain; the exit status. `functions` says where they are: `module:NAME`.

    Raises Misconfigured when another suite uses the folder, the port is taken, or credentials are missing;
    CorruptData when a file of the folder is damaged.
    """
    start_logging("supervisor")
    data_dir = data_dir.absolute()
    loopback = is_loopback(host)
    lock = _take(data_dir)
    try:
        suite = Suite(data_dir, settings)
        suite.check()
        suite.close()
        if not loopback:
            _require_keys(suite.ports.secrets, data_dir, host)
        with listen(host, port) as listener:
            order = Order(
                role="consumers",
                data_dir=str(data_dir),
                settings=settings,
                functions=functions,
                loopback=loopback,
                listener=listener.fileno(),
            )
            address, bound = listener.getsockname()[:2]
            log.info("serving %s at http://%s:%d", data_dir, f"[{address}]" if ":" in address else address, bound)
            return Supervisor(order, workers, lock, listener).run()
    finally:
        os.close(lock)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that listens on `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises Misconfigured when the port is in use or the host is not ours."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise Misconfigured(f"{host!r} is no address of this machine: {error}. Choose another --host.") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise Misconfigured(
            f"Cannot listen on {host}:{port}: {error.strerror}. If another program uses the port, stop it or choose "
            "another with --port."
        ) from error
    return listener


@dataclass
class Child:
    """One process, and when it may be started again."""

    order: Order
    process: "subprocess.Popen[bytes]"
    started: float
    failures: int = 0
    restart_at: float | None = None


class Supervisor:
    """Starts the processes, restarts one that dies, and stops them in order."""

    def __init__(self, order: Order, workers: int, lock: int, listener: socket.socket) -> None:
        self._lock = lock
        self._listener = listener
        self._stopping = False
        self._hopeless = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        orders = [order] + [msgspec.structs.replace(order, role="http")] * workers
        self._children = [Child(each, self._start(each), time.monotonic()) for each in orders]

    def run(self) -> int:
        """Until a signal comes, or a process cannot start for a reason that only a person can mend."""
        while not self._stopping and not self._hopeless:
            for child in self._children:
                self._tend(child)
            time.sleep(TICK_SECONDS)
        log.info("stopping: requests and batches in hand are finished first")
        self._listener.close()
        self._stop("http", DRAIN_SECONDS + 5)
        self._stop("consumers", STOP_SECONDS)
        log.info("stopped")
        return 1 if self._hopeless else 0

    def _on_signal(self, *_: object) -> None:
        self._stopping = True

    def _start(self, order: Order) -> "subprocess.Popen[bytes]":
        inherited = (self._lock, order.listener) if order.role == "http" else (self._lock,)
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "adapters.local.child"],
            stdin=subprocess.PIPE,
            bufsize=0,
            pass_fds=inherited,
            start_new_session=True,  # Ctrl-C is for the supervisor, which stops the others in order
        )
        if process.stdin is None:
            raise Unavailable("a process was started without its pipe; try again")
        with suppress(BrokenPipeError):  # it is dead already, which is noticed soon enough
            process.stdin.write(msgspec.json.encode(order) + b"\n")
        return process

    def _tend(self, child: Child) -> None:
        """Note a death; start again after a pause that grows with each early one."""
        now = time.monotonic()
        if child.restart_at is None:
            status = child.process.poll()
            if status is None:
                return
            self._hopeless |= status == HOPELESS
            child.failures = 1 if now - child.started > STEADY_SECONDS else child.failures + 1
            pause = min(LONGEST_PAUSE_SECONDS, 0.1 * 2 ** min(child.failures - 1, 10))
            child.restart_at = now + pause
            log.error("the %s process ended with status %d; again in %.1f s", child.order.role, status, pause)
        elif now >= child.restart_at:
            _close_pipe(child.process)
            child.process = self._start(child.order)
            child.started, child.restart_at = now, None

    def _stop(self, role: str, seconds: float) -> None:
        """Let the processes of a role finish; end those that do not in time."""
        processes = [child.process for child in self._children if child.order.role == role]
        for process in processes:
            process.terminate()
        deadline = time.monotonic() + seconds
        for process in processes:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.error("a %s process did not finish in %.0f s and is ended", role, seconds)
                process.kill()
                process.wait()
            _close_pipe(process)


def _take(data_dir: Path) -> int:
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        return lock_folder(data_dir)
    except OSError as error:
        raise Misconfigured(f"{data_dir} cannot be used: {error}. Choose another folder with --data.") from error


def _require_keys(keys: Secrets, data_dir: Path, host: str) -> None:
    """Refuse to be reached from elsewhere before an operator has chosen who may."""
    needed = ("write-keys", "operator-keys")
    missing = [name for name in needed if not json.loads(keys.get(name) or b"{}")]
    if missing:
        example = ", ".join(f'"{name}": {{"first": "{secrets.token_urlsafe(24)}"}}' for name in missing)
        raise Misconfigured(
            f"Others can reach {host}, and {data_dir / FILE} has no {' and no '.join(missing)}. Add them there, "
            f"for example {example}; or serve on 127.0.0.1."
        )


def _close_pipe(process: "subprocess.Popen[bytes]") -> None:
    if process.stdin is not None:
        process.stdin.close()
