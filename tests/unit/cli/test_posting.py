"""`simulate` and `replay`: files that repeat byte for byte, posts that arrive, and mistakes that are explained."""

import gzip
import json
import socket
from pathlib import Path

import pytest

from adapters.cli.terminal import FAILED, MISUSED, UNREACHABLE
from lab import oracle
from tests.unit.cli.fake_suite import FakeSuite, grandstand

START = "2026-11-20T18:00:00Z"
SIMULATE = ("simulate", "--viewers", "200", "--seconds", "10", "--start", START)


def events_of(suite: FakeSuite) -> list[dict[str, object]]:
    bodies = [json.loads(post.body) for post in suite.posts()]
    return [
        {**event, "event_timestamp": event["event_timestamp"] - body["clock_offset_ms"]}
        for body in bodies
        for event in body["events"]
    ]


def test_the_same_seed_and_start_write_the_same_file(tmp_path: Path) -> None:
    for name in ("one.ndjson", "two.ndjson", "other.ndjson", "packed.ndjson.gz"):
        seed = "8" if name == "other.ndjson" else "7"
        assert grandstand(*SIMULATE, "--seed", seed, "--out", str(tmp_path / name)).exit_code == 0
    one = (tmp_path / "one.ndjson").read_bytes()
    assert one == (tmp_path / "two.ndjson").read_bytes()
    assert one == gzip.decompress((tmp_path / "packed.ndjson.gz").read_bytes())
    assert one != (tmp_path / "other.ndjson").read_bytes()


def test_a_file_and_its_truth_agree(tmp_path: Path) -> None:
    out, truth = tmp_path / "events.ndjson", tmp_path / "truth.ndjson"
    said = grandstand(*SIMULATE, "--out", str(out), "--truth", str(truth), "--json")
    summary = json.loads(said.output)
    events = [json.loads(line) for line in out.read_bytes().splitlines()]
    windows = [json.loads(line) for line in truth.read_bytes().splitlines()]
    expected = oracle.audience(events)
    assert summary["events"] == len(events) == sum(sum(window["events"].values()) for window in windows)
    assert summary["start"] == "2026-11-20T18:00:00.000Z"
    assert len(windows) == sum(map(len, expected.values()))
    assert summary["true_peak_concurrent"] == max(
        sum(window["concurrent"] for window in windows if window["start"] == start)
        for start in {window["start"] for window in windows}
    )


def test_what_is_posted_is_what_is_written(suite: FakeSuite, tmp_path: Path) -> None:
    out = tmp_path / "events.ndjson"
    grandstand(*SIMULATE, "--out", str(out))
    said = grandstand(*SIMULATE, "--to", suite.url, "--speed", "50", "--key", "write", "--json")
    assert said.exit_code == 0, said.output
    written = {event["event_id"]: event for event in map(json.loads, out.read_bytes().splitlines())}
    posted = {event["event_id"]: event for event in events_of(suite)}
    assert posted == written
    summary = json.loads(said.output)
    assert (summary["sent"], summary["accepted"]) == (len(written), len(written))
    assert {post.headers["authorization"] for post in suite.posts()} == {"Bearer write"}


def test_late_and_double_posts_are_the_same_bytes(suite: FakeSuite) -> None:
    said = grandstand(*SIMULATE, "--to", suite.url, "--speed", "50", "--late", "0.2", "--duplicates", "0.3", "--json")
    by_batch: dict[str, set[bytes]] = {}
    for post in suite.posts():
        by_batch.setdefault(json.loads(post.body)["batch_id"], set()).add(post.body)
    assert {len(bodies) for bodies in by_batch.values()} == {1}
    assert len(by_batch) < len(suite.posts())
    summary = json.loads(said.output)
    assert summary["late"] > 0
    assert summary["duplicates"] > 0


def test_a_run_that_is_sped_up_ends_now(suite: FakeSuite) -> None:
    from time import time

    grandstand("simulate", "--viewers", "50", "--seconds", "120", "--speed", "5000", "--to", suite.url)
    newest = max(int(str(event["event_timestamp"])) for event in events_of(suite))
    assert newest <= time() * 1000 + 1_000


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ((), "--to"),
        (("--out", "x", "--to", "http://suite"), "--out"),
        (("--out", "x", "--speed", "0"), "--speed"),
        (("--out", "x", "--start", "yesterday"), "RFC 3339"),
        (("--out", "x", "--late", "2"), "late"),
    ],
)
def test_a_mistake_in_the_command_is_explained(more: tuple[str, ...], told: str, tmp_path: Path) -> None:
    arguments = [str(tmp_path / "x") if argument == "x" else argument for argument in more]
    said = grandstand("simulate", "--viewers", "10", "--seconds", "5", *arguments)
    assert said.exit_code == MISUSED
    assert told in said.output
    assert list(tmp_path.iterdir()) == []


def test_too_many_contents_are_refused_in_words(tmp_path: Path) -> None:
    said = grandstand(*SIMULATE, "--contents", "70000", "--out", str(tmp_path / "x"))
    assert said.exit_code == FAILED
    assert "contents is 70000" in said.output


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    said = grandstand(*SIMULATE, "--out", str(tmp_path / "missing" / "events.ndjson"))
    assert said.exit_code == FAILED
    assert "cannot write" in said.output


def test_a_suite_that_is_not_there_gets_no_posts(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        said = grandstand(*SIMULATE, "--to", url, "--truth", str(tmp_path / "truth"))
    assert said.exit_code == UNREACHABLE
    assert "grandstand serve" in said.output
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_is_refused_ends_the_run(suite: FakeSuite) -> None:
    suite.answers["/v1/events"] = (401, {"detail": "A write key is needed."})
    said = grandstand(*SIMULATE, "--to", suite.url, "--speed", "100")
    assert said.exit_code == FAILED
    assert "A write key is needed." in said.output
    assert "--key" in said.output


def test_a_recording_is_replayed_with_the_same_keys_each_time(suite: FakeSuite, tmp_path: Path) -> None:
    recording = tmp_path / "events.ndjson.gz"
    grandstand(*SIMULATE, "--out", str(recording))
    for _ in range(2):
        said = grandstand("replay", str(recording), "--format", "native", "--to", suite.url, "--json")
        assert said.exit_code == 0, said.output
    keys = [post.headers["idempotency-key"] for post in suite.posts()]
    assert len(keys) == 2 * len(set(keys))
    assert json.loads(said.output)["accepted"] == sum(post.body.count(b"event_type") for post in suite.posts()) // 2


def test_a_log_of_cmcd_is_replayed_line_by_line(suite: FakeSuite, tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_text('Player 1.0\nCMCD=sid="s",br=1\n\nGET /x?CMCD=sid="s",br=2\n'.replace('"', "%22"))
    said = grandstand("replay", str(log), "--format", "cmcd-query", "--to", suite.url, "--content", "match")
    assert said.exit_code == 0, said.output
    told = [asked.query["CMCD"] for asked in suite.asked if asked.path == "/v1/cmcd"]
    assert sorted(told) == ['cid="match",sid="s",br=1', 'cid="match",sid="s",br=2']


def test_a_file_without_reports_is_no_success(suite: FakeSuite, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing to see\n")
    said = grandstand("replay", str(tmp_path / "notes.txt"), "--format", "cmcd-query", "--to", suite.url)
    assert said.exit_code == FAILED
    assert "cmcd-query" in said.output


def test_rejections_are_counted_by_reason(suite: FakeSuite, tmp_path: Path) -> None:
    (tmp_path / "events.ndjson").write_text("{}\n{}\n")
    rejected = [{"index": index, "reason": "no content"} for index in range(2)]
    suite.answers["/v1/events"] = (422, {"detail": "nothing valid", "rejected": rejected})
    said = grandstand("replay", str(tmp_path / "events.ndjson"), "--format", "native", "--to", suite.url)
    assert "rejected: no content" in said.output


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_a_run_of_which_nothing_is_accepted_is_no_success(
    suite: FakeSuite, tmp_path: Path, more: tuple[str, ...]
) -> None:
    (tmp_path / "events.ndjson").write_text("{}\n")
    suite.answers["/v1/events"] = (422, {"detail": "nothing valid", "rejected": [{"index": 0, "reason": "too old"}]})
    said = grandstand("replay", str(tmp_path / "events.ndjson"), "--format", "native", "--to", suite.url, *more)
    assert "too old" in said.output
    assert said.exit_code == FAILED
    assert "nothing was accepted" in said.output
