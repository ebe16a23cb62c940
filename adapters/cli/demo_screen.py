"""The audience in the terminal as it moves: a live table, or a plain line now and then."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from adapters.cli.terminal import readable

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from lab.watching import Watched

_BARS: Final = "▁▂▃▄▅▆▇█"
_SPARKS: Final = 60
_PLAIN_EVERY: Final = 2


@dataclass
class Scene:
    """What there is to see; changed as the match goes on."""

    url: str
    match_seconds: int
    elapsed: float = 0.0
    contents: "list[Watched]" = field(default_factory=list)
    sent: int = 0
    events_per_second: float = 0.0
    counted: int = 0
    visible_after: float | None = None
    history: list[int] = field(default_factory=list)

    @property
    def concurrent(self) -> int:
        """All contents together."""
        return sum(content.concurrent for content in self.contents)


@contextmanager
def showing(scene: Scene, console: "Console") -> Iterator[Callable[[], None]]:
    """Shows the scene; call what is yielded, once a second, when it has changed."""
    if not console.is_terminal:
        yield _Plain(scene, console)
        return
    from rich.live import Live

    with Live(console=console, refresh_per_second=4, get_renderable=lambda: _picture(scene)) as live:
        yield live.refresh


class _Plain:
    def __init__(self, scene: Scene, console: "Console") -> None:
        self._scene = scene
        self._console = console
        self._calls = 0

    def __call__(self) -> None:
        if self._calls % _PLAIN_EVERY == 0:
            self._console.print(_line(self._scene), highlight=False, soft_wrap=True)
        self._calls += 1


def _line(scene: Scene) -> str:
    lag = "–" if scene.visible_after is None else f"{scene.visible_after:.2f} s"
    each = "  ".join(f"{content.content_id} {readable(content.concurrent)}" for content in scene.contents)
    return (
        f"{scene.elapsed:4.0f} s  watching {readable(scene.concurrent):>7}  ({each})  "
        f"{scene.events_per_second:7,.0f} events/s  visible after {lag}"
    )


def _picture(scene: Scene) -> "RenderableType":
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    table = Table(title=f"The audience at {scene.url}", title_justify="left", expand=False)
    for heading in ("content", "watching", "viewers in 5 s"):
        table.add_column(heading, justify="left" if heading == "content" else "right", min_width=14)
    for content in scene.contents:
        table.add_row(content.content_id, readable(content.concurrent), readable(content.viewers))
    viewers = sum(content.viewers for content in scene.contents)
    table.add_section()
    table.add_row("together", readable(scene.concurrent), readable(viewers), style="bold")
    lag = "–" if scene.visible_after is None else f"{scene.visible_after:.2f} s"
    figures = (
        f"{scene.events_per_second:,.0f} events/s   {scene.sent:,} sent   {scene.counted:,} counted   "
        f"visible after {lag}"
    )
    progress = ProgressBar(
        total=scene.match_seconds, completed=min(scene.elapsed, scene.match_seconds), width=_SPARKS
    )
    return Group(table, Text(sparkline(scene.history)), Text(figures), progress)


def sparkline(history: list[int]) -> str:
    """The newest figures as little bars, the largest of all the tallest."""
    top = max(history, default=0) or 1
    return "".join(_BARS[value * (len(_BARS) - 1) // top] for value in history[-_SPARKS:])
