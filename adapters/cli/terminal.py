"""What the commands print, and how they fail."""

import sys
from collections.abc import Sequence
from typing import Any

import typer

from shared.errors import GrandstandError

FAILED = 1
"""Exit code: the work was not done, or the suite refused it."""
MISUSED = 2
"""Exit code: a mistake in the command line."""
UNREACHABLE = 3
"""Exit code: nothing answers at the URL."""
_WIDE = 120


class Failed(GrandstandError):
    """Ends the command: the message says what went wrong and what to do, `code` is the exit code."""

    def __init__(self, message: str, code: int = FAILED) -> None:
        super().__init__(message)
        self.code = code


def say(message: str) -> None:
    """A line for the person who is watching; never mixed into what a program reads."""
    typer.echo(message, err=True)


def print_json(value: Any) -> None:
    """One JSON document on stdout."""
    import orjson

    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode() + "\n")


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Rows under headings; figures stand to the right. What is shown is data: no markup in it is obeyed."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(readable(title)), title_justify="left")
    for index, column in enumerate(columns):
        figures = all(row[index] is None or isinstance(row[index], int | float) for row in rows)
        table.add_column(column, justify="right" if figures else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(readable(value)) for value in row))
    console = Console()
    Console(width=None if console.is_terminal else max(console.width, _WIDE)).print(table)


def readable(value: object) -> str:
    """A value as people read it: thousands apart, nothing as a dash, and nothing that a terminal would obey."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.3g}"
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in str(value))
