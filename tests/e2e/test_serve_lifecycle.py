"""`serve` as operators meet it: real processes on a real folder, stopped, killed and started again."""

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from lab.bench.served import free_port

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("serve")]

ROOT = Path(__file__).parents[2]
SCRIPT = """
import sys
from pathlib import Path
from adapters.local.serve import serve
from shared.errors import GrandstandError
from shared.settings import Settings
data, host, port, workers, functions = sys.argv[1:]
try:
    sys.exit(serve(Path(data), host, int(port), int(workers), Settings(), functions=functions))
except GrandstandError as error:
    sys.exit(f"{type(error).__name__}: {error}")
"""
PATIENCE = 30.0


@dataclass
class Served:
    """A running suite."""

    process: "subprocess.Popen[str]"
    url: str
    log: Path

    def post(self, word: str, **parameters: str) -> httpx.Response:
        return httpx.post(f"{self.url}/v1/words", content=word, params=parameters, timeout=PATIENCE)

    def words(self) -> list[str]:
        found: list[str] = httpx.get(f"{self.url}/v1/words", timeout=PATIENCE).json()
        return found

    def children(self, role: str) -> list[psutil.Process]:
        lines = [json.loads(line) for line in self.log.read_text().splitlines()]
        assert lines
        mine = psutil.Process(self.process.pid).children()
        return [child for child in mine if _is_consumer(child) == (role == "consumers")]

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        return self.process.wait(PATIENCE)


def _is_consumer(process: psutil.Process) -> bool:
    """The one that listens on nothing."""
    return not any(each.status == psutil.CONN_LISTEN for each in process.net_connections("tcp"))


def eventually(condition: Callable[[], Any]) -> None:
    """Wait until something is so; fail when it does not come about."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)


def start(
    folder: Path, port: int, *, host: str = "127.0.0.1", workers: int = 1, functions: str = "FUNCTIONS"
) -> Served:
    log = folder.parent / f"log-{time.monotonic_ns()}.jsonl"
    arguments = [str(folder), host, str(port), str(workers), f"tests.e2e.tiny:{functions}"]
    with log.open("w") as output:
        process = subprocess.Popen([sys.executable, "-c", SCRIPT, *arguments], stderr=output, text=True, cwd=ROOT)
    return Served(process, f"http://127.0.0.1:{port}", log)


@contextmanager
def serving(folder: Path, port: int, *, workers: int = 1) -> Iterator[Served]:
    served = start(folder, port, workers=workers)
    try:
        eventually(lambda: served.process.poll() is not None or _healthy(served.url))
        assert served.process.poll() is None, served.log.read_text()
        yield served
    finally:
        served.process.kill()
        served.process.wait()


def _healthy(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", timeout=PATIENCE).status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


def test_what_is_posted_is_consumed_and_schedules_run(folder: Path) -> None:
    with serving(folder, free_port(), workers=2) as served:
        assert served.post("goal").status_code == 202
        eventually(lambda: served.words() == ["goal"])
        eventually(lambda: httpx.get(f"{served.url}/v1/ticks").json())
        assert len(served.children("http")) == 2
        assert served.stop() == 0


def test_a_stop_finishes_the_requests_in_hand_and_leaves_no_process(folder: Path) -> None:
    with serving(folder, free_port()) as served:
        processes = psutil.Process(served.process.pid).children(recursive=True)
        answers: list[httpx.Response] = []
        slow = threading.Thread(target=lambda: answers.append(served.post("slow", slow="1")))
        slow.start()
        time.sleep(0.5)

        assert served.stop() == 0

        slow.join()
        assert [answer.status_code for answer in answers] == [202]
        assert not [process for process in processes if process.is_running()]
    assert "Traceback" not in served.log.read_text()


def test_ctrl_c_stops_as_sigterm_does(folder: Path) -> None:
    with serving(folder, free_port()) as served:
        assert served.stop(signal.SIGINT) == 0


def test_the_next_start_goes_on_where_the_last_one_stopped(folder: Path) -> None:
    port = free_port()
    with serving(folder, port) as served:
        served.post("one")
        eventually(lambda: served.words() == ["one"])
        assert served.stop() == 0
    with serving(folder, port) as served:
        assert served.words() == ["one"]
        served.post("two")
        eventually(lambda: served.words() == ["one", "two"])


def test_a_killed_suite_takes_its_processes_along_and_the_next_start_loses_nothing(folder: Path) -> None:
    port = free_port()
    accepted: list[str] = []
    for round_number in range(3):
        with serving(folder, port) as served:
            processes = psutil.Process(served.process.pid).children(recursive=True)
            for n in range(20):
                word = f"{round_number}-{n}"
                if served.post(word).status_code == 202:
                    accepted.append(word)
            served.process.kill()
            served.process.wait()
            _, alive = psutil.wait_procs(processes, timeout=PATIENCE)
            assert not alive

    with serving(folder, port) as served:
        eventually(lambda: served.words() == sorted(accepted))
    assert len(accepted) == 60


@pytest.mark.parametrize("role", ["http", "consumers"])
def test_a_process_that_dies_is_started_again(folder: Path, role: str) -> None:
    with serving(folder, free_port()) as served:
        (child,) = served.children(role)
        child.kill()
        psutil.wait_procs([child], timeout=PATIENCE)
        eventually(lambda: len(psutil.Process(served.process.pid).children()) == 2)
        eventually(lambda: _healthy(served.url))

        assert served.post("after").status_code == 202
        eventually(lambda: served.words() == ["after"])
        assert served.stop() == 0
    assert f"the {role} process ended with status -9" in served.log.read_text()


def test_it_is_not_ready_while_nobody_consumes(folder: Path) -> None:
    with serving(folder, free_port()) as served:
        (consumer,) = served.children("consumers")
        supervisor = psutil.Process(served.process.pid)
        supervisor.suspend()  # so that it starts no other
        consumer.kill()
        eventually(lambda: httpx.get(f"{served.url}/healthz").status_code == 503)
        assert "consumers are not running" in httpx.get(f"{served.url}/healthz").text
        supervisor.resume()
        eventually(lambda: _healthy(served.url))


def refused(folder: Path, port: int, **how: Any) -> str:
    """What `serve` says when it will not start."""
    served = start(folder, port, **how)
    assert served.process.wait(PATIENCE) == 1
    return served.log.read_text()


def test_a_second_serve_on_one_folder_names_the_first(folder: Path) -> None:
    with serving(folder, free_port()) as served:
        told = refused(folder, free_port())

        assert f"Another serve is using {folder} (pid {served.process.pid})" in told
        assert _healthy(served.url)


def test_a_port_in_use_is_one_clear_error(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        told = refused(folder, port)

    assert f"Cannot listen on 127.0.0.1:{port}" in told
    assert "--port" in told


def test_elsewhere_than_on_loopback_it_needs_keys(folder: Path) -> None:
    port = free_port()

    told = refused(folder, port, host="0.0.0.0")
    assert "write-keys" in told
    assert "operator-keys" in told

    secrets = json.loads((folder / "secrets.json").read_text())
    secrets |= {"write-keys": {"web": "w" * 32}, "operator-keys": {"ops": "o" * 32}}
    (folder / "secrets.json").write_text(json.dumps(secrets))
    served = start(folder, port, host="0.0.0.0")
    try:
        eventually(lambda: _healthy(served.url))
        assert served.post("no key").status_code == 401
        assert httpx.post(f"{served.url}/v1/words", params={"key": "w" * 32}, content="key").status_code == 202
        assert served.stop() == 0
    finally:
        served.process.kill()
        served.process.wait()


def test_a_damaged_file_is_named_and_left_as_it_is(folder: Path) -> None:
    with serving(folder, free_port()) as served:
        served.post("one")
        assert served.stop() == 0
    whole = (folder / "tables.db").read_bytes()
    (folder / "tables.db").write_bytes(whole[:5_000])

    told = refused(folder, free_port())

    assert f"CorruptData: {folder / 'tables.db'} is damaged" in told
    assert (folder / "tables.db").read_bytes() == whole[:5_000]
    (folder / "tables.db").write_bytes(whole)
    with serving(folder, free_port()) as served:
        eventually(lambda: served.words() == ["one"])


@pytest.mark.parametrize(
    ("functions", "told"),
    [
        ("HOPELESS", "no mail server is set; set GRANDSTAND_SMTP"),
        ("WITHOUT_PACKAGE", "No module named 'tests.e2e.no_such_package'. If a package is missing"),
    ],
)
def test_a_function_that_cannot_start_stops_the_suite_and_says_why(folder: Path, functions: str, told: str) -> None:
    assert told in refused(folder, free_port(), functions=functions)


@pytest.mark.skipif(not hasattr(psutil.Process, "rlimit"), reason="limits of another process need Linux")
def test_a_full_disk_refuses_posts_and_loses_none_that_was_accepted(folder: Path) -> None:
    with serving(folder, free_port()) as served:
        assert served.post("before").status_code == 202
        everyone = psutil.Process(served.process.pid).children()
        for child in everyone:
            child.rlimit(psutil.RLIMIT_FSIZE, (1_000_000, psutil.RLIM_INFINITY))
        answers = [served.post(f"{n}" + "x" * 100_000) for n in range(30)]
        full = [answer for answer in answers if answer.status_code != 202]
        assert {answer.status_code for answer in full} == {503}
        assert "stream.db" in full[0].text

        for child in everyone:
            child.rlimit(psutil.RLIMIT_FSIZE, (psutil.RLIM_INFINITY, psutil.RLIM_INFINITY))
        assert served.post("after").status_code == 202
        accepted = 2 + len(answers) - len(full)
        eventually(lambda: len(served.words()) == accepted)


def test_every_line_of_the_log_is_json(folder: Path) -> None:
    with serving(folder, free_port()) as served:
        served.post("a word that is nobody's business")
        served.stop()

    lines = [json.loads(line) for line in served.log.read_text().splitlines()]

    assert {"time", "level", "process", "logger", "message"} <= set(lines[0])
    assert "nobody's business" not in served.log.read_text()
    assert str(folder) in lines[0]["message"]
