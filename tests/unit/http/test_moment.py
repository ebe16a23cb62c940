"""Times in queries and answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from functions.http.answer import rfc3339
from functions.http.moment import END_OF_TIME_MS, Moment

SIX_PM = 1_795_197_600_000


class Query(BaseModel):
    at: Moment


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-20T18:00:00Z",
        "2026-11-20T18:00:00",
        "2026-11-20t18:00:00z",
        "2026-11-20T19:00:00+01:00",
        "2026-11-20T19:00:00 01:00",
        "2026-11-20 18:00:00.000Z",
        "1795197600000",
        " 1795197600000 ",
    ],
)
def test_a_time_may_be_written_in_many_ways(text: str) -> None:
    assert Query.model_validate({"at": text}).at == SIX_PM


@pytest.mark.parametrize(
    "text", ["", "yesterday", "-1", "1e3", "9" * 17, "9" * 30, "2026-13-01", "0001-01-01T00:00:00Z", "NaN", "١٢٣"]
)
def test_what_is_no_time_is_refused_with_what_is(text: str) -> None:
    with pytest.raises(ValidationError, match="RFC 3339"):
        Query.model_validate({"at": text})


@given(st.integers(0, END_OF_TIME_MS - 1))
def test_what_is_written_reads_back(ms: int) -> None:
    assert Query.model_validate({"at": rfc3339(ms)}).at == ms
    assert rfc3339(ms).endswith("Z")
    assert ("." in rfc3339(ms)) == bool(ms % 1000)
