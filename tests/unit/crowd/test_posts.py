"""How events are posted: gathered, late, twice, and with the clocks that senders know to be wrong."""

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest

from lab.crowd.files import reading, writing
from lab.crowd.match import Match
from lab.crowd.posts import MAX_EVENTS, Post
from lab.crowd.show import Show

MATCH = Match(viewers=9_000, seconds=30, start_ms=1_763_661_600_000, contents=2)


def posts(show: Show) -> list[Post]:
    return [post for step in show.steps() for post in step.posts]


def test_a_post_holds_up_to_500_events_of_one_sender() -> None:
    sent = posts(Show(MATCH))
    assert min(post.events for post in sent) >= 1
    assert max(post.events for post in sent) <= MAX_EVENTS
    assert len({post.batch_id for post in sent}) == len(sent)


def test_a_body_says_its_batch_and_how_far_its_clock_is_off() -> None:
    plain = {}
    for post in posts(Show(MATCH)):
        for line in bytes(post.rows).splitlines():
            event = json.loads(line)
            plain[event["event_id"]] = event["event_timestamp"]
    offsets = set()
    for post in posts(Show(MATCH, separator=b",", clocks=True)):
        body = json.loads(post.body())
        assert body["batch_id"] == post.batch_id
        assert len(body["events"]) == post.events
        offsets.add(body["clock_offset_ms"])
        for event in body["events"]:
            assert event["event_timestamp"] - body["clock_offset_ms"] == plain.pop(event["event_id"])
    assert not plain
    assert len(offsets) > 1


def test_late_and_repeated_posts_change_nothing_else() -> None:
    plain = {post.batch_id: bytes(post.rows) for post in posts(Show(MATCH))}
    disturbed = posts(Show(MATCH, late=0.2, duplicates=0.2))
    times_sent = Counter(post.batch_id for post in disturbed)
    assert set(times_sent) == set(plain)
    assert all(bytes(post.rows) == plain[post.batch_id] for post in disturbed)
    assert set(times_sent.values()) == {1, 2}
    assert 0.1 < sum(post.again for post in disturbed) / len(plain) < 0.3
    assert 0.1 < sum(post.late for post in disturbed if not post.again) / len(plain) < 0.3


@pytest.mark.parametrize("name", ["events.ndjson", "events.ndjson.gz", "events.ndjson.zst"])
def test_a_file_reads_back_whatever_its_ending(tmp_path: Path, name: str) -> None:
    lines = [b'{"a":%d}\n' % number for number in range(20_000)]
    with writing(tmp_path / name) as out:
        for line in lines:
            out.write(line)
    with reading(tmp_path / name) as (unpacked, raw):
        assert list(unpacked) == lines
        assert raw.tell() == (tmp_path / name).stat().st_size


def test_equal_bytes_give_equal_files(tmp_path: Path) -> None:
    for name in ("one.gz", "two.gz"):
        with writing(tmp_path / name) as out:
            out.write(b"the same")
    assert (tmp_path / "one.gz").read_bytes() == (tmp_path / "two.gz").read_bytes()
    assert gzip.decompress((tmp_path / "one.gz").read_bytes()) == b"the same"


def test_an_interrupted_file_is_not_left_behind(tmp_path: Path) -> None:
    def interrupted() -> None:
        with writing(tmp_path / "events.ndjson") as out:
            out.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []


def test_a_pipe_is_written_as_it_is() -> None:
    with writing(Path("/dev/null")) as out:
        out.write(b"gone")
    assert Path("/dev/null").exists()
