"""docs/metrics.md defines every figure that the API answers with."""

import re
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from functions.audience import models as audience
from functions.contents import models as contents
from functions.operations import models as operations
from functions.preferences import models as preferences
from shared.contents import problems

PAGE = Path(__file__).parents[3] / "docs" / "metrics.md"
NAMES_ALONE = {
    "content_id",
    "title",
    "content_type",
    "resolution",
    "contents",
    "window",
    "from",
    "to",
    "step_seconds",
    "starts_at",
    "ended_at",
}
"""What is asked for, not measured."""


def headings() -> dict[str, str]:
    """Each figure that a heading names, and what stands below it."""
    parts = re.split(r"^###? (.*)$", PAGE.read_text(), flags=re.MULTILINE)[1:]
    told: dict[str, str] = {}
    for heading, text in zip(parts[::2], parts[1::2], strict=True):
        told |= {name.strip(): text.strip() for name in heading.split(":")[-1].split(",")}
    return told


@pytest.mark.parametrize(
    "model",
    [
        audience.Window,
        audience.Share,
        audience.AudienceAnswer,
        audience.NowAnswer,
        audience.RecentAnswer,
        audience.TopContent,
        audience.TopAnswer,
        contents.OverviewAnswer,
        contents.LiveContent,
        contents.UpcomingContent,
        contents.EndedContent,
        preferences.AlsoWatchedAnswer,
        preferences.OtherContent,
        preferences.TopAnswer,
        preferences.TopSegment,
        preferences.WatchedContent,
        preferences.SegmentsAnswer,
        preferences.Segment,
        operations.CompletenessAnswer,
        operations.HealthAnswer,
        operations.FunctionHealth,
        operations.LagAnswer,
        operations.Bottleneck,
        operations.RecentHealth,
        operations.Series,
    ],
)
def test_every_figure_has_a_heading_with_words_below_it(model: type[BaseModel]) -> None:
    figures = {field.alias or name for name, field in model.model_fields.items()} - NAMES_ALONE
    assert {figure for figure in figures if len(headings().get(figure, "")) < 20} == set()


def test_every_dimension_is_named() -> None:
    assert {name for name in audience.Shares.model_fields if f"`{name}`" not in headings()["by"]} == set()


def test_every_problem_is_told_with_its_limit() -> None:
    table = [line.split("|")[1:5] for line in headings()["problems"].splitlines() if line.startswith("|")]
    told = {code.strip(): (float(limit), " ".join(only.split())) for code, _, limit, only in table[2:]}
    limits = {
        "stalling": (problems.STALLING_RATIO, f"from {problems.STALLING_LEAST_MS // 1_000} s of"),
        "slow_start": (problems.SLOW_START_MS, f"from {problems.FEWEST_STARTS} start-ups"),
        "errors": (problems.ERRORS_PER_VIEWER, f"from {problems.FEWEST_ERRORS} errors"),
        "sudden_drop": (problems.DROP_SHARE, f"from {problems.FEWEST_BEFORE_DROP} viewers on, and up to 5 minutes"),
        "no_reports": (problems.NO_REPORTS_SECONDS, ""),
        "late_start": (problems.LATE_START_SECONDS, ""),
    }
    assert {code: limit for code, (limit, _) in told.items()} == {code: limit for code, (limit, _) in limits.items()}
    assert all(only in told[code][1] for code, (_, only) in limits.items())
    assert set(told) == {*get_args(contents.ContentProblem.model_fields["code"].annotation)}
    assert f"above {problems.LATE_FIGURES_MS}" in headings()["problems"]
