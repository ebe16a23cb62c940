"""One measured figure."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """`budget` is what the design asks for, where it asks: at least that much, or `at_most`.

    `note` says what was measured, and how.
    """

    name: str
    value: float
    unit: str
    budget: float | None = None
    note: str = ""
    at_most: bool = False
