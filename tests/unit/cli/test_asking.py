"""Questions to the suite: what is asked, how answers are shown, and what is said when there is none."""

import json
import os
import socket

import pytest

from adapters.cli.terminal import FAILED, MISUSED, UNREACHABLE
from tests.unit.cli.fake_suite import FakeSuite, grandstand

WINDOW = {
    "start": "2026-11-20T18:00:00Z",
    "viewers": 12_345,
    "viewers_error": 98,
    "concurrent": 9_876,
    "concurrent_error": 0,
    "engagement_rate": 0.25,
    "events": {"heartbeat": 1_000, "join": 234},
    "watched_ms": 90_000,
}


def test_an_audience_is_shown_window_by_window(suite: FakeSuite) -> None:
    answer = {"content_id": "a/b #1", "resolution": "5s", "windows": [WINDOW]}
    suite.answers["/v1/contents/a%2Fb%20%231/audience"] = (200, answer)
    asked = ("audience", "a/b #1", "--from", "2026-11-20T18:00:00Z", "--resolution", "5s", "--url", suite.url)
    shown = grandstand(*asked)
    assert shown.exit_code == 0, shown.output
    for figure in ("12,345 ± 98", "9,876", "1,234", "1.5 min", "0.25"):
        assert figure in shown.output
    assert suite.asked[0].query == {"from": "2026-11-20T18:00:00Z", "resolution": "5s"}
    assert json.loads(grandstand(*asked, "--json").output) == answer


def test_the_most_watched_are_listed(suite: FakeSuite) -> None:
    contents = [{"content_id": "match-01", "watched_ms": 5_000, "viewers": 7, "viewers_error": 0}]
    suite.answers["/v1/contents/top"] = (200, {"contents": contents})
    shown = grandstand("top", "--window", "24h", "--limit", "3", "--url", suite.url, "--key", "operator")
    assert "match-01" in shown.output
    assert "5,000" in shown.output
    assert suite.asked[0].query == {"window": "24h", "limit": "3"}
    assert suite.asked[0].headers["authorization"] == "Bearer operator"
    assert json.loads(grandstand("top", "--url", suite.url, "--json").output)["contents"] == contents


def test_nothing_watched_is_an_empty_table(suite: FakeSuite) -> None:
    suite.answers["/v1/contents/top"] = (200, {"contents": []})
    assert grandstand("top", "--url", suite.url).exit_code == 0


def test_completeness_names_every_class(suite: FakeSuite) -> None:
    answer = {"received": 1_010, "counted": 1_000, "rejected": {"type": 10}, "sampled_out": 0}
    suite.answers["/v1/completeness"] = (200, answer)
    shown = grandstand("completeness", "--url", suite.url)
    for told in ("received", "1,010", "rejected: type", "sampled out"):
        assert told in shown.output
    assert json.loads(grandstand("completeness", "--url", suite.url, "--json").output) == answer


def test_a_moment_is_marked(suite: FakeSuite) -> None:
    made = {"mark_id": "m1", "at": "2026-11-20T18:00:00Z", "kind": "goal", "label": "1 – 0"}
    suite.answers["/v1/contents/a%2Fb/marks"] = (201, made)
    said = grandstand("mark", "a/b", "goal", "--label", "1 – 0", "--url", suite.url, "--key", "operator")
    assert "goal marked at 2026-11-20T18:00:00Z" in said.output
    at = ("--at", "2026-11-20T18:00:00Z", "--json")
    assert json.loads(grandstand("mark", "a/b", "goal", *at, "--url", suite.url).output) == made
    assert [json.loads(post.body) for post in suite.posts()] == [
        {"kind": "goal", "label": "1 – 0"},
        {"kind": "goal", "label": "", "at": "2026-11-20T18:00:00Z"},
    ]


def test_dead_letters_are_listed(suite: FakeSuite) -> None:
    letter = {"record_id": "ab" * 16, "key": "c#0", "function": "aggregate", "reason": "unreadable"}
    letter |= {"dead_at": "2026-11-20T18:00:00Z", "first_appended_at": "2026-11-20T17:00:00Z"}
    answer = {"letters": [{**letter, "bytes": 1_234}], "next": "more"}
    suite.answers["/v1/dead-letters"] = (200, answer)
    shown = grandstand("dead-letters", "list", "--limit", "1", "--url", suite.url)
    assert "unreadable" in shown.output
    assert "--cursor more" in shown.output
    assert suite.asked[0].query == {"limit": "1"}
    assert json.loads(grandstand("dead-letters", "list", "--url", suite.url, "--json").output) == answer


def test_dead_letters_are_replayed_by_id_or_all(suite: FakeSuite) -> None:
    suite.answers["/v1/dead-letters/replay"] = (200, {"replayed": 2, "refused": []})
    assert grandstand("dead-letters", "replay", "aa", "bb", "--url", suite.url).exit_code == 0
    replayed = grandstand("dead-letters", "replay", "--all", "--url", suite.url, "--json")
    assert json.loads(replayed.output)["replayed"] == 2
    assert [json.loads(post.body) for post in suite.posts()] == [{"record_ids": ["aa", "bb"]}, {}]


def test_a_refused_replay_is_named(suite: FakeSuite) -> None:
    refused = [{"record_id": "aa", "reason": "past the horizon"}]
    suite.answers["/v1/dead-letters/replay"] = (200, {"replayed": 0, "refused": refused})
    shown = grandstand("dead-letters", "replay", "aa", "--url", suite.url)
    assert shown.exit_code == FAILED
    assert "aa was not replayed: past the horizon" in shown.output


@pytest.mark.parametrize("arguments", [(), ("aa", "--all")])
def test_a_replay_must_say_which(arguments: tuple[str, ...]) -> None:
    shown = grandstand("dead-letters", "replay", *arguments)
    assert shown.exit_code == MISUSED
    assert "--all" in shown.output


def test_a_suite_that_is_not_there_says_how_to_start_it() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        shown = grandstand("top", "--url", f"http://127.0.0.1:{unused.getsockname()[1]}")
    assert shown.exit_code == UNREACHABLE
    assert "grandstand serve" in shown.output


@pytest.mark.parametrize("url", ["127.0.0.1:8080", "ftp://suite", "http://[::bad"])
def test_an_address_that_is_none_is_a_mistake_in_the_command(url: str) -> None:
    shown = grandstand("top", "--url", url)
    assert shown.exit_code == MISUSED
    assert "no address" in shown.output


@pytest.mark.parametrize(
    ("status", "answer", "told"),
    [
        (401, {"detail": "An operator key is needed."}, "--key"),
        (404, {"detail": "No such content."}, "No such content."),
        (404, None, "is it Grandstand?"),
        (400, {"detail": "`from` must be before `to`."}, "`from` must be before `to`."),
        (500, ["no problem document"], "500"),
    ],
)
def test_a_refusal_is_told_in_its_own_words(suite: FakeSuite, status: int, answer: object, told: str) -> None:
    suite.answers["/v1/completeness"] = (status, answer)
    shown = grandstand("completeness", "--url", suite.url)
    assert shown.exit_code == FAILED
    assert told in shown.output


def test_address_and_key_may_come_from_the_environment(suite: FakeSuite, monkeypatch: pytest.MonkeyPatch) -> None:
    suite.answers["/v1/contents/top"] = (200, {"contents": []})
    monkeypatch.setitem(os.environ, "GRANDSTAND_URL", suite.url)
    monkeypatch.setitem(os.environ, "GRANDSTAND_KEY", "from-outside")
    assert grandstand("top").exit_code == 0
    assert suite.asked[0].headers["authorization"] == "Bearer from-outside"
