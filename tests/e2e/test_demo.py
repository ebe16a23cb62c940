"""`grandstand demo`: a match from kick-off to the final whistle, in a suite of its own."""

import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from adapters.cli.demo_suite import served
from adapters.cli.terminal import Failed
from lab.bench.served import free_port
from tests.unit.cli.fake_suite import grandstand

pytestmark = pytest.mark.e2e


def started(*arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "adapters.cli.main", "demo", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_a_short_match_is_counted_to_the_last_event() -> None:
    port = free_port()
    ended = grandstand("demo", "--viewers", "1500", "--seconds", "13", "--port", str(port), "--json")
    assert ended.exit_code == 0, ended.output
    assert ended.stderr.index("live page") < ended.stderr.index(f"http://127.0.0.1:{port}/docs")
    assert f"http://127.0.0.1:{port}/openapi.json" in ended.stderr
    assert "watching" in ended.stderr
    summary = json.loads(ended.stdout)
    assert summary["events_sent"] > 3 * 1500
    assert summary["events_accepted"] == summary["events_sent"]
    assert summary["events_counted"] == summary["events_sent"]
    assert 0 < summary["peak_viewers_true"] <= 1500  # while it ran: on a slow machine fewer arrive in time
    assert summary["peak_viewers_measured"] == summary["peak_viewers_true"]  # exact: each content is below the limit
    assert 0 < summary["event_to_visible_p50_seconds"] <= summary["event_to_visible_p99_seconds"]


def test_after_the_match_the_suite_serves_on_until_it_is_interrupted() -> None:
    port = free_port()
    demo = started("--viewers", "300", "--port", str(port))
    try:
        said = ""
        while "events/s" not in said:
            assert demo.stdout is not None
            line = demo.stdout.readline()
            assert line, said
            said += line
        assert httpx.get(f"http://127.0.0.1:{port}/healthz").is_success
        seen = httpx.get(f"http://127.0.0.1:{port}/v1/overview").json()
        named = {one["title"] for one in (*seen["live"], *seen["upcoming"])}
        assert {"Harbour City – Northern Stars", "Athletic Vale – Red Bridge"} <= named
        demo.send_signal(signal.SIGINT)
        rest, _ = demo.communicate(timeout=60)
    finally:
        demo.kill()
    assert demo.returncode == 0, said + rest
    for told in ("events sent", "events accepted", "events counted", "peak viewers", "p50", "p99"):
        assert told in rest
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/healthz")


def test_a_port_in_use_is_said_at_once() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = grandstand("demo", "--port", str(taken.getsockname()[1]))
    assert ended.exit_code == 1
    assert "--port" in ended.output


def test_a_suite_that_dies_is_reported_with_its_last_words(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    with pytest.raises(Failed, match="did not start"), served(tmp_path, free_port()):
        time.sleep(0)


def test_a_simulated_match_is_counted_as_it_truly_was(tmp_path: Path) -> None:
    """Late and double posts, clocks that are off and known to be: the API still says what the truth says."""
    truth = tmp_path / "truth.ndjson"
    with served(tmp_path, free_port()) as url:
        match = ("--viewers", "1200", "--seconds", "8", "--contents", "2", "--truth", str(truth))
        ended = grandstand("simulate", *match, "--late", "0.1", "--duplicates", "0.2", "--to", url, "--json")
        assert ended.exit_code == 0, ended.output
        sent = json.loads(ended.stdout)
        completeness = settled(url, sent["sent"])
        answers = {}
        for content in ("match-01", "match-02"):
            asked = grandstand("audience", content, "--url", url, "--json")
            answers[content] = {window["start"]: window for window in json.loads(asked.stdout)["windows"]}
    assert completeness["duplicate"] == sent["duplicates"] > 0
    assert completeness["counted"] == sent["sent"] - sent["duplicates"]
    told = [json.loads(line) for line in truth.read_bytes().splitlines()]
    assert len(told) == sum(map(len, answers.values()))
    for window in told:
        answer = answers[window["content_id"]][window["start"]]
        for figure in ("viewers", "concurrent", "events", "watched_ms"):
            assert answer[figure] == window[figure], (window, figure)


def test_a_recording_is_counted_once_however_often_it_is_replayed(tmp_path: Path) -> None:
    recording = tmp_path / "match.ndjson.zst"
    written = grandstand("simulate", "--viewers", "300", "--seconds", "20", "--out", str(recording), "--json")
    events = json.loads(written.stdout)["events"]
    with served(tmp_path, free_port()) as url:
        for _ in range(2):
            replayed = grandstand("replay", str(recording), "--format", "native", "--to", url, "--json")
            assert json.loads(replayed.stdout)["accepted"] == events
        completeness = settled(url, 2 * events)
    assert (completeness["counted"], completeness["duplicate"]) == (events, events)


def settled(url: str, received: int) -> dict[str, int]:
    """The completeness once so many events have been received."""
    give_up = time.monotonic() + 30
    while True:
        told: dict[str, int] = json.loads(grandstand("completeness", "--url", url, "--json").stdout)
        if told["received"] >= received or time.monotonic() > give_up:
            return told
        time.sleep(0.1)
