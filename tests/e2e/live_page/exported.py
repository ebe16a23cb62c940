"""What a chart's or a table's export holds."""

import csv
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from pathlib import Path

from playwright.sync_api import Locator, Page

HEAD = 4
"""Lines before the columns' names: the heading, the content, from and to."""


@dataclass(frozen=True)
class Sheet:
    """A chart's CSV: `cells` as a spreadsheet reads them."""

    cells: list[list[str]]

    @property
    def rows(self) -> list[list[str]]:
        return self.cells[HEAD + 1 :]

    def times(self) -> list[float]:
        """When, in seconds since the epoch."""
        return [datetime.fromisoformat(row[0]).timestamp() for row in self.rows]

    def gaps(self, since: float) -> list[str]:
        """The times from then on at which nobody knows how many watched, or that are left out; not the last two."""
        rows = [row for row, at in zip(self.rows, self.times(), strict=True) if at >= since][:-2]
        times = [datetime.fromisoformat(row[0]).timestamp() for row in rows]
        left_out = [f"before {row[0]}" for row, a, b in zip(rows[1:], times, times[1:], strict=False) if b - a != 5]
        return [row[0] for row in rows if row[1] == ""] + left_out


def sheet(page: Page, heading: str) -> Sheet:
    """Export a chart as CSV by its button."""
    text = downloaded(page, heading, "CSV").read_bytes().decode("utf-8")
    assert text.startswith("\ufeff")
    return Sheet(list(csv.reader(StringIO(text.removeprefix("\ufeff")))))


def downloaded(page: Page, heading: str, kind: str) -> Path:
    """What a chart's export button hands over."""
    with page.expect_download() as download:
        chart(page, heading).get_by_role("button", name=kind).click()
    return download.value.path()


def chart(page: Page, heading: str) -> Locator:
    return page.locator("gs-chart").filter(has=page.get_by_role("heading", name=heading, exact=True))
