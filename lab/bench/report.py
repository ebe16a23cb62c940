"""The figures as a table for people and as JSON for programs."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from math import isnan
from pathlib import Path

from rich.console import Console
from rich.table import Table

from lab.bench.figure import Figure

Figures = Mapping[str, Sequence[Figure]]
"""Each bench's figures, or none when it could not run."""


def machine() -> dict[str, str | int]:
    """What the figures were taken on."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "processor": models[0] if models else platform.processor() or platform.machine(),
        "cores": os.cpu_count() or 1,
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def met(figure: Figure) -> str:
    """Whether the budget is met."""
    if figure.budget is None or isnan(figure.value):
        return ""
    reached = figure.value <= figure.budget if figure.at_most else figure.value >= figure.budget
    return "met" if reached else "not met"


def as_text(value: float | None) -> str:
    if value is None:
        return ""
    if isnan(value):
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def show(name: str, figures: Sequence[Figure], console: Console) -> None:
    """Print one bench's table."""
    table = Table(title=name, title_justify="left", expand=False)
    table.add_column("figure")
    table.add_column("value", justify="right")
    table.add_column("unit")
    table.add_column("budget", justify="right")
    table.add_column("")
    table.add_column("note")
    for each in figures:
        budget = ("≤ " if each.at_most else "") + as_text(each.budget)
        table.add_row(each.name, as_text(each.value), each.unit, budget, met(each), each.note)
    console.print(table)


def as_json(benches: Figures, failures: Mapping[str, str]) -> str:
    """All that was measured; a figure that could not be taken is null, with its note."""
    figures = [
        {"bench": name, **asdict(each), "value": None if isnan(each.value) else each.value, "met": met(each) or None}
        for name, each_bench in benches.items()
        for each in each_bench
    ]
    return json.dumps(
        {"machine": machine(), "figures": figures, "failures": dict(failures)}, indent=2, ensure_ascii=False
    )
