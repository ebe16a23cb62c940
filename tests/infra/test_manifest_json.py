"""`infra/manifest.json`, which every cloud's infrastructure is made from."""

import json
from typing import Any

import pytest

from functions.manifest import FUNCTIONS, Every, Function
from infra.manifest import PATH, manifest, rendered


@pytest.fixture(scope="module")
def written() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(PATH.read_text())
    return document


def entry(document: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [one for one in document["functions"] if one["name"] == name]
    return dict(found)


def short_schedules() -> list[Function]:
    return [one for one in FUNCTIONS if isinstance(one.trigger, Every) and one.trigger.seconds < 60]


def test_the_file_says_what_the_manifest_says() -> None:
    assert PATH.read_text() == rendered(), "infra/manifest.json is out of date; run: python -m infra.manifest"


def test_every_function_is_there_once(written: dict[str, Any]) -> None:
    assert [one["name"] for one in written["functions"]] == sorted(one.name for one in FUNCTIONS)


def test_making_it_twice_gives_the_same() -> None:
    assert manifest() == manifest()


def test_everything_that_a_function_uses_is_declared(written: dict[str, Any]) -> None:
    declared = {f"table:{one}" for one in written["tables"]} | {f"objects:{one}" for one in written["objects"]}
    declared |= {f"queue:{one}" for one in written["queues"]} | {f"stream:{one}" for one in written["streams"]}
    declared |= {f"secret:{one}" for one in written["secrets"]} | {"history", "mail"}
    for function in written["functions"]:
        assert set(function["reads"]) | set(function["writes"]) <= declared


def test_what_the_host_of_a_function_uses_is_told_with_it(written: dict[str, Any]) -> None:
    assert all("table:pulses" in function["writes"] for function in written["functions"])
    assert "secret:write-keys" in entry(written, "ingest")["reads"]
    assert {"objects:dead-letters", "table:dead-letters"} <= set(entry(written, "aggregate")["writes"])


def test_only_public_reads_may_be_kept_by_a_cdn(written: dict[str, Any]) -> None:
    routes = {route["path"]: route for one in written["functions"] for route in one["trigger"].get("routes", ())}
    assert routes["/v1/contents/{id}/audience/now"]["cacheable"]
    assert not routes["/v1/contents/{id}/audience"]["cacheable"]
    assert all(route["scope"] == "publish" for route in routes.values() if route["cacheable"])


@pytest.mark.parametrize("function", short_schedules(), ids=lambda one: one.name)
def test_a_schedule_below_a_minute_has_time_to_repeat_inside_one(written: dict[str, Any], function: Function) -> None:
    assert entry(written, function.name)["timeout_seconds"] == 60 + function.timeout_seconds
