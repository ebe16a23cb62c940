"""One measured figure."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """`budget` is what the design asks for, where it asks; `note` says what was measured, and how."""

    name: str
    value: float
    unit: str
    budget: float | None = None
    note: str = ""
