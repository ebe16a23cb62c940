"""`simulate`: an audience that nobody has to invite."""

import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from adapters.cli.options import AsJson, Key

if TYPE_CHECKING:
    from lab.crowd.show import Show
    from lab.sender import Tally


def simulate(
    *,
    viewers: Annotated[int, typer.Option(min=1, help="How many people come.")],
    seconds: Annotated[int, typer.Option(min=1, help="How long the match lasts; its plot is scaled to that.")],
    contents: Annotated[int, typer.Option(min=1, help="How many matches at once.")] = 3,
    seed: Annotated[int, typer.Option(min=0, help="The same seed and start give the same bytes.")] = 1,
    speed: Annotated[float, typer.Option(help="How many times as fast as life to post.")] = 1.0,
    start: Annotated[
        str | None,
        typer.Option(help="RFC 3339 or ms since epoch; now, or earlier if sped up, so as to end now."),
    ] = None,
    to: Annotated[str | None, typer.Option(metavar="URL", help="The suite to post to, as time passes.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write NDJSON here, at once; .gz and .zst are compressed.")] = None,
    truth: Annotated[Path | None, typer.Option(help="Write the true figures of each content and 5 s here.")] = None,
    late: Annotated[float, typer.Option(min=0, max=1, help="The share of posts that comes 5 to 120 s late.")] = 0.0,
    duplicates: Annotated[float, typer.Option(min=0, max=1, help="The share of posts that is sent twice.")] = 0.0,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """A believable audience: a surge at kick-off, a dip at half-time, hopping, stalls, skewed clocks."""
    if (to is None) == (out is None):
        raise typer.BadParameter("say where the events go: either --to URL or --out FILE")
    if not 0 < speed < float("inf"):
        raise typer.BadParameter("--speed must be more than 0")
    from adapters.cli.posting import report
    from lab.crowd.match import Match
    from lab.crowd.show import Show

    start_ms = _start_ms(start, seconds, speed if to else 1.0)
    match = Match(viewers=viewers, seconds=seconds, start_ms=start_ms, contents=contents, seed=seed)
    separator = b"," if to else b"\n"
    show = Show(match, late, duplicates, truth=truth is not None, separator=separator, clocks=to is not None)
    with ExitStack() as files:
        truth_file = _open(files, truth) if truth else None
        if out is not None:
            told = _write(show, _open(files, out), truth_file).told_of_file()
        else:
            told = _post(show, str(to), key, speed, truth_file).told()
    told |= {"start": match.start, "run": match.run_id}
    if truth:
        told["true_peak_concurrent"] = show.peak
    report("Simulated", told, as_json=as_json)


def _start_ms(start: str | None, seconds: int, speed: float) -> int:
    from events.timestamps import to_ms

    if start is None:
        ahead = max(seconds - seconds / speed, 0.0)
        return int((time.time() - ahead) * 1000)
    told = int(start) if start.isdigit() else to_ms(start)
    if told is None:
        raise typer.BadParameter(f"--start {start!r} is neither RFC 3339 (2026-11-20T18:00:00Z) nor ms since epoch")
    return told


def _open(files: ExitStack, path: Path) -> BinaryIO:
    from adapters.cli.terminal import Failed
    from lab.crowd.files import writing

    try:
        return files.enter_context(writing(path))
    except OSError as error:
        raise Failed(f"cannot write {path}: {error.strerror}. Choose another place.") from None


def _write(show: "Show", out: BinaryIO, truth: BinaryIO | None) -> "Tally":
    from adapters.cli.posting import moving
    from lab.crowd.play import into_file

    with moving("simulating", show.match.seconds * 1000) as on_step:
        return into_file(show, out, truth, on_step)


def _post(show: "Show", url: str, key: str | None, speed: float, truth: BinaryIO | None) -> "Tally":
    from adapters.cli.api import Api
    from adapters.cli.posting import moving, post
    from lab.crowd.play import to_suite
    from lab.sender import Sender

    Api(url).check()
    sender = Sender(url, key=key)

    async def play() -> None:
        with moving("simulating", show.match.seconds * 1000) as on_step:
            async with sender:
                await to_suite(show, sender, speed, truth, on_step)

    post(url, play())
    return sender.tally
