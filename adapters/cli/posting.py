"""What `simulate` and `replay` share: a progress bar, and what became of the events."""

from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from adapters.cli.terminal import UNREACHABLE, Failed, print_json, print_table

if TYPE_CHECKING:
    from rich.progress import Progress

_UNAUTHORISED = (401, 403)


def _progress() -> "Progress":
    """Bars on stderr; where that is no terminal, nothing is drawn."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TextColumn("{task.fields[events]:,} events"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )


@contextmanager
def moving(what: str, total: int) -> Iterator[Callable[[int, int], None]]:
    """A bar; call it with how far the work has come, of `total`, and how many events that makes."""
    with _progress() as bars:
        task = bars.add_task(what, total=total, events=0)
        yield lambda done, events: bars.update(task, completed=done, events=events)


def post(url: str, work: Coroutine[Any, Any, None]) -> None:
    """Run to the end, or end the command with what stopped it."""
    import asyncio

    from lab.sender import Refused, Unreachable

    try:
        asyncio.run(work)
    except Unreachable as error:
        hint = "What was answered is kept; start the suite again with: grandstand serve"
        raise Failed(f"{error}. {hint}", UNREACHABLE) from None
    except Refused as error:
        hint = " Give a write key with --key or GRANDSTAND_KEY." if error.status in _UNAUTHORISED else ""
        raise Failed(f"{url} refuses what is posted: {error}{hint}") from None


def report(title: str, told: dict[str, Any], *, as_json: bool) -> None:
    """The closing summary: a tally, and what else there is to tell. Ends the command where all was rejected."""
    if as_json:
        print_json(told)
    else:
        rows: list[tuple[str, object]] = [(name.replace("_", " "), told[name]) for name in told if name != "reasons"]
        rows += [(f"rejected: {reason}", events) for reason, events in told.get("reasons", {}).items()]
        print_table(title, ("what", "figure"), rows)
    if told.get("rejected") and not told["accepted"]:
        raise Failed("nothing was accepted; the summary says why.")
