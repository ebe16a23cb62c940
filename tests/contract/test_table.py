from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.errors import VersionConflict
from shared.ports import ABSENT, MAX_BATCH_GET, MAX_KEY_BYTES, MAX_VALUE_BYTES, Table, query_all
from tests.contract.rig import Rig

ODD = [
    "#",
    "/",
    "a/b#c",
    "\x00",
    "a\x00b",
    "line\nfeed",
    " ",
    "é",
    "日本",
    "😀",
    "%2F",
    "'; DROP",
    "..",
    "\\",
    "?",
    "~",
    "|",
]
DAY = 86_400_000


def table(provider: Rig) -> Table:
    return provider.ports.table("audience")


def test_what_was_put_is_got_back_by_its_key_alone(provider: Rig) -> None:
    version = table(provider).put("match#0", "w1", b"\x00state\xff", expires_at=provider.clock.now_ms() + DAY)

    item = table(provider).get("match#0", "w1")

    assert item is not None
    assert (item.partition, item.sort, item.value, item.version) == ("match#0", "w1", b"\x00state\xff", version)
    assert item.expires_at == provider.clock.now_ms() + DAY
    assert table(provider).get("match#0", "w2") is None
    assert table(provider).get("match#1", "w1") is None
    assert provider.ports.table("other").get("match#0", "w1") is None


def test_it_is_still_there_when_the_process_starts_anew(provider: Rig) -> None:
    version = table(provider).put("match#0", "w1", b"state")

    item = table(provider.reopen()).get("match#0", "w1")

    assert item is not None
    assert (item.value, item.version) == (b"state", version)


def test_an_empty_value_is_a_value(provider: Rig) -> None:
    table(provider).put("p", "s", b"")

    item = table(provider).get("p", "s")

    assert item is not None
    assert item.value == b""


def test_keys_of_any_characters_stay_apart(provider: Rig) -> None:
    for partition in ODD:
        for sort in ODD:
            table(provider).put(partition, sort, f"{partition}→{sort}".encode())

    for partition in ODD:
        assert [item.sort for item in query_all(table(provider), partition)] == sorted(ODD, key=str.encode)
        for sort in ODD:
            item = table(provider).get(partition, sort)
            assert item is not None
            assert item.value.decode() == f"{partition}→{sort}"


def test_keys_and_values_up_to_the_limits_are_kept(provider: Rig) -> None:
    longest = "é" * (MAX_KEY_BYTES // 2)
    largest = bytes(range(256)) * (MAX_VALUE_BYTES // 256)

    table(provider).put(longest, longest, largest)

    item = table(provider).get(longest, longest)
    assert item is not None
    assert item.value == largest


@pytest.mark.parametrize("key", ["", "x" * (MAX_KEY_BYTES + 1), "é" * (MAX_KEY_BYTES // 2) + "x", "\ud800"])
def test_keys_past_the_limits_are_value_errors(provider: Rig, key: str) -> None:
    for partition, sort in ((key, "s"), ("p", key)):
        with pytest.raises(ValueError, match=r"key|surrogates"):
            table(provider).put(partition, sort, b"")
        with pytest.raises(ValueError, match=r"key|surrogates"):
            table(provider).get(partition, sort)
        with pytest.raises(ValueError, match=r"key|surrogates"):
            table(provider).delete(partition, sort)
        with pytest.raises(ValueError, match=r"key|surrogates"):
            table(provider).batch_get([(partition, sort)])


def test_a_value_past_the_limit_is_a_value_error_and_changes_nothing(provider: Rig) -> None:
    table(provider).put("p", "s", b"before")

    with pytest.raises(ValueError, match=str(MAX_VALUE_BYTES)):
        table(provider).put("p", "s", bytes(MAX_VALUE_BYTES + 1))

    item = table(provider).get("p", "s")
    assert item is not None
    assert item.value == b"before"


def test_put_if_absent_succeeds_once(provider: Rig) -> None:
    table(provider).put("p", "s", b"first", if_version=ABSENT)

    with pytest.raises(VersionConflict):
        table(provider).put("p", "s", b"second", if_version=ABSENT)

    item = table(provider).get("p", "s")
    assert item is not None
    assert item.value == b"first"


def test_put_if_version_replaces_only_that_version(provider: Rig) -> None:
    first = table(provider).put("p", "s", b"1")
    second = table(provider).put("p", "s", b"2", if_version=first)

    with pytest.raises(VersionConflict):
        table(provider).put("p", "s", b"3", if_version=first)
    with pytest.raises(VersionConflict):
        table(provider).put("p", "other", b"3", if_version=second)
    with pytest.raises(VersionConflict):
        table(provider).put("p", "s", b"3", if_version="not a version")

    item = table(provider).get("p", "s")
    assert item is not None
    assert (item.value, item.version) == (b"2", second)


def test_an_unconditional_put_writes_always(provider: Rig) -> None:
    table(provider).put("p", "s", b"1")
    table(provider).put("p", "s", b"2")

    item = table(provider).get("p", "s")
    assert item is not None
    assert item.value == b"2"


def test_versions_are_never_used_twice(provider: Rig) -> None:
    seen = []
    for _ in range(3):
        seen.append(table(provider).put("p", "s", b"same"))
        seen.append(table(provider).put("p", "s", b"same"))
        table(provider).delete("p", "s")
        seen.append(table(provider).put("p", "s", b"same", expires_at=provider.clock.now_ms() + 1))
        provider.clock.advance(1)

    assert len(set(seen)) == len(seen)
    with pytest.raises(VersionConflict):
        table(provider).put("p", "s", b"", if_version=seen[0])


def test_delete_removes_and_needs_nothing_to_be_there(provider: Rig) -> None:
    table(provider).put("p", "s", b"1")

    table(provider).delete("p", "s")
    table(provider).delete("p", "s")
    table(provider).delete("p", "s", if_version=ABSENT)

    assert table(provider).get("p", "s") is None


def test_delete_if_version_spares_another_version(provider: Rig) -> None:
    old = table(provider).put("p", "s", b"1")
    new = table(provider).put("p", "s", b"2")

    for wrong in (old, ABSENT):
        with pytest.raises(VersionConflict):
            table(provider).delete("p", "s", if_version=wrong)
    assert table(provider).get("p", "s") is not None

    table(provider).delete("p", "s", if_version=new)
    assert table(provider).get("p", "s") is None


def test_an_expired_item_is_never_returned(provider: Rig) -> None:
    expires_at = provider.clock.now_ms() + 5
    version = table(provider).put("p", "s", b"1", expires_at=expires_at)
    provider.clock.advance(4)
    assert table(provider).get("p", "s") is not None

    provider.clock.advance(1)

    assert table(provider).get("p", "s") is None
    assert table(provider).batch_get([("p", "s")]) == {}
    assert list(query_all(table(provider), "p")) == []
    with pytest.raises(VersionConflict):
        table(provider).put("p", "s", b"2", if_version=version)
    with pytest.raises(VersionConflict):
        table(provider).delete("p", "s", if_version=version)


def test_put_if_absent_succeeds_over_an_expired_item(provider: Rig) -> None:
    table(provider).put("p", "s", b"1", expires_at=provider.clock.now_ms() + 5)
    provider.clock.advance(5)

    table(provider).put("p", "s", b"2", if_version=ABSENT)

    item = table(provider).get("p", "s")
    assert item is not None
    assert (item.value, item.expires_at) == (b"2", None)


def test_a_thousand_keys_are_got_at_once_and_no_more(provider: Rig) -> None:
    keys = [(f"p{n % 7}", f"s{n}") for n in range(MAX_BATCH_GET)]
    for partition, sort in keys[::2]:
        table(provider).put(partition, sort, sort.encode())

    found = table(provider).batch_get(keys)

    assert {key: item.value.decode() for key, item in found.items()} == {key: key[1] for key in keys[::2]}
    with pytest.raises(ValueError, match="1000"):
        table(provider).batch_get([*keys, ("p", "one more")])
    assert table(provider).batch_get([]) == {}


def test_a_range_is_in_order_of_utf8_bytes_and_ends_before_its_end(provider: Rig) -> None:
    # U+FF5E sorts after U+1F600 in UTF-16, before it in UTF-8
    sorts = ["a", "a\x00", "aa", "b", "Z", "é", "~", "\uff5e", "\U0001f600"]
    for sort in sorts:
        table(provider).put("p", sort, b"")
    ordered = sorted(sorts, key=str.encode)

    assert [item.sort for item in table(provider).query("p").items] == ordered
    assert [item.sort for item in table(provider).query("p", start="a", end="b").items] == ["a", "a\x00", "aa"]
    assert [item.sort for item in table(provider).query("p", start="aa").items] == ordered[ordered.index("aa") :]
    assert list(table(provider).query("p", start="b", end="a").items) == []
    assert list(table(provider).query("p", end="").items) == []
    assert list(table(provider).query("q").items) == []


@pytest.mark.parametrize("limit", [1, 2, 3, 10, 11])
def test_pages_follow_each_other_without_gap_or_overlap(provider: Rig, limit: int) -> None:
    sorts = [f"{n:03d}" for n in range(10)]
    for sort in sorts:
        table(provider).put("p", sort, sort.encode())

    seen: list[str] = []
    cursor = None
    while True:
        page = table(provider).query("p", start="001", end="009", limit=limit, cursor=cursor)
        assert len(page.items) <= limit
        seen += [item.sort for item in page.items]
        cursor = page.next
        if cursor is None:
            break

    assert seen == sorts[1:9]


def test_pages_of_large_values_lose_none(provider: Rig) -> None:
    for n in range(40):
        table(provider).put("p", f"{n:02d}", bytes([n]) * MAX_VALUE_BYTES)

    assert [(item.sort, item.value[0]) for item in query_all(table(provider), "p")] == [
        (f"{n:02d}", n) for n in range(40)
    ]


def test_a_page_has_at_least_one_item(provider: Rig) -> None:
    with pytest.raises(ValueError, match="limit"):
        table(provider).query("p", limit=0)


def test_concurrent_conditional_writes_lose_no_update(provider: Rig) -> None:
    def increment(_: int) -> None:
        while True:
            item = table(provider).get("p", "counter")
            count, version = (int(item.value), item.version) if item else (0, ABSENT)
            try:
                table(provider).put("p", "counter", str(count + 1).encode(), if_version=version)
            except VersionConflict:
                continue
            return

    if provider.name == "memory":
        pytest.skip("the ports in memory are for one thread")
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(increment, range(200)))

    item = table(provider).get("p", "counter")
    assert item is not None
    assert int(item.value) == 200


key = st.text(st.characters(codec="utf-8"), min_size=1, max_size=4)


@given(st.dictionaries(key, st.binary(max_size=8), max_size=12), key, key, st.integers(1, 4))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_range_is_what_sorting_and_slicing_would_give(
    provider: Rig, items: dict[str, bytes], start: str, end: str, limit: int
) -> None:
    for item in list(query_all(table(provider), "range")):
        table(provider).delete("range", item.sort)
    for sort, value in items.items():
        table(provider).put("range", sort, value)

    seen, cursor = [], None
    while True:
        page = table(provider).query("range", start=start, end=end, limit=limit, cursor=cursor)
        seen += [(item.sort, item.value) for item in page.items]
        if (cursor := page.next) is None:
            break

    wanted = sorted((sort.encode(), value) for sort, value in items.items())
    assert [(sort.encode(), value) for sort, value in seen] == [
        pair for pair in wanted if start.encode() <= pair[0] < end.encode()
    ]
