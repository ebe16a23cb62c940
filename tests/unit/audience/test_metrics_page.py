"""docs/metrics.md defines every figure that the API answers with."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from functions.audience import models as audience
from functions.operations import models as operations

PAGE = Path(__file__).parents[3] / "docs" / "metrics.md"
NAMES_ALONE = {"content_id", "content_type", "resolution", "contents", "window", "from", "to"}
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
        audience.TopContent,
        audience.TopAnswer,
        operations.CompletenessAnswer,
    ],
)
def test_every_figure_has_a_heading_with_words_below_it(model: type[BaseModel]) -> None:
    figures = {field.alias or name for name, field in model.model_fields.items()} - NAMES_ALONE
    assert {figure for figure in figures if len(headings().get(figure, "")) < 20} == set()


def test_every_dimension_is_named() -> None:
    assert {name for name in audience.Shares.model_fields if f"`{name}`" not in headings()["by"]} == set()
