"""`make bench`: times what the budgets speak of, prints a table and JSON, and asserts nothing.

Each bench is a module of this package with `figures() -> list[Figure]`. One that fails is named; the others go on.
"""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from lab.bench import report
from lab.bench.figure import Figure

BENCHES = (
    "plain_python",
    "ingest",
    "aggregate",
    "path",
    "flink",
    "http",
    "memory",
    "history",
    "simulator",
    "imports",
    "clouds",
    "page",
)


def main(
    only: Annotated[list[str] | None, typer.Option(help=f"Run this one: {', '.join(BENCHES)}. Repeatable.")] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the JSON here as well as printing it.")
    ] = None,
) -> None:
    """Run the benchmarks and print their figures."""
    unknown = set(only or ()) - set(BENCHES)
    if unknown:
        raise typer.BadParameter(f"no bench is called {', '.join(sorted(unknown))}; there are {', '.join(BENCHES)}")
    console = Console(width=None if Console().is_terminal else 160)
    taken: dict[str, list[Figure]] = {}
    failures: dict[str, str] = {}
    for name in only or BENCHES:
        if find_spec(f"lab.bench.{name}") is None:
            failures[name] = "there is no such bench yet"
            continue
        try:
            taken[name] = import_module(f"lab.bench.{name}").figures()
        except Exception as error:  # one bench's trouble must not cost the others' figures
            failures[name] = f"{type(error).__name__}: {error}"
        else:
            report.show(name, taken[name], console)
    for name, reason in failures.items():
        console.print(f"{name}: {reason}", style="red", markup=False)
    text = report.as_json(taken, failures)
    print(text)
    if json_file is not None:
        json_file.write_text(text)


if __name__ == "__main__":
    typer.run(main)
