"""`demo`: the suite, a simulated match played into it, and the audience in the terminal."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from adapters.cli import browser
from adapters.cli.options import AsJson

if TYPE_CHECKING:
    from rich.console import Console

    from lab.crowd.match import Match

_MATCH_SECONDS: Final = 600
_SHORTEST_MATCH: Final = 5
_CLOSING_SECONDS: Final = 3


def demo(
    *,
    viewers: Annotated[int, typer.Option(min=1, help="How many people come.")] = 20_000,
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8080,
    seconds: Annotated[int | None, typer.Option(min=1, help="End after so long; else at Ctrl-C.")] = None,
    contents: Annotated[int, typer.Option(min=1, help="How many matches at once.")] = 6,
    open_page: Annotated[
        bool | None, typer.Option("--open/--no-open", help="The live page in a browser; in a terminal if unset.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """A live match on this machine, from the kick-off to the final whistle, in a suite of its own."""
    from tempfile import TemporaryDirectory

    from rich.console import Console

    from adapters.cli.demo_suite import served
    from adapters.cli.terminal import print_json
    from adapters.local.serve import listen
    from lab.crowd.match import Match

    began = time.monotonic()
    console = Console(stderr=as_json)
    listen("127.0.0.1", port).close()
    console.print("Starting the suite …")
    with (
        _ending_in_order(),
        TemporaryDirectory(prefix="grandstand-demo-") as folder,
        served(Path(folder), port) as url,
    ):
        if _tell_addresses(console, url) and (browser.is_wanted() if open_page is None else open_page):
            browser.show(f"{url}/")
        left = _MATCH_SECONDS
        if seconds is not None:
            left = max(_SHORTEST_MATCH, round(seconds - _CLOSING_SECONDS - (time.monotonic() - began)))
        match = Match(viewers=viewers, seconds=left, start_ms=int(time.time() * 1000), contents=contents)
        summary = _play(console, url, match, stay=seconds is None)
    if as_json:
        print_json(summary)


@contextmanager
def _ending_in_order() -> Iterator[None]:
    """SIGTERM ends the demo as Ctrl-C does: the suite beside it is stopped."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _tell_addresses(console: "Console", url: str) -> bool:
    """Whether there is a live page."""
    import httpx

    is_built = httpx.get(f"{url}/", trust_env=False).is_success
    page = f"{url}/" if is_built else "not built; `make web` does it"
    for name, address in (("live page", page), ("API docs", f"{url}/docs"), ("OpenAPI", f"{url}/openapi.json")):
        console.print(f"  {name:<10} {address}", highlight=False, style="bold" if address == f"{url}/" else None)
    return is_built


def _play(console: "Console", url: str, match: "Match", *, stay: bool) -> dict[str, Any]:
    """The match, the closing summary, and then, if asked to stay, service until Ctrl-C."""
    import asyncio

    from adapters.cli.demo_match import play
    from adapters.cli.terminal import Failed
    from lab.sender import Refused, Unreachable

    async def evening() -> dict[str, Any]:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        summary = await play(console, url, match, stop)
        if stay and not stop.is_set():
            console.print(f"The match is over. Serving at {url} until Ctrl-C.", highlight=False)
            await stop.wait()
        return summary

    try:
        return asyncio.run(evening())
    except (Refused, Unreachable) as error:
        raise Failed(f"the match was broken off: {error}") from None
