"""`audience`, `top` and `completeness`: what the HTTP API says, as a table or as JSON."""

from typing import Annotated, Any

import typer

from adapters.cli.api import Api, content_path
from adapters.cli.options import DEFAULT_URL, AsJson, Key, Url
from adapters.cli.terminal import print_json, print_table, readable

_From = Annotated[str | None, typer.Option("--from", help="RFC 3339 or ms since epoch; included.")]
_Until = Annotated[str | None, typer.Option("--to", help="RFC 3339 or ms since epoch; left out.")]


def audience(
    *,
    content: Annotated[str, typer.Argument(help="The content's id.")],
    from_: _From = None,
    to: _Until = None,
    resolution: Annotated[str | None, typer.Option(help="5s, 1m or 1h.")] = None,
    url: Url = DEFAULT_URL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """The audience of a content, window by window."""
    query = {"from": from_, "to": to, "resolution": resolution}
    answer = Api(url, key).get(content_path(content, "audience"), **query)
    if as_json:
        print_json(answer)
        return
    columns = ("start", "viewers", "concurrent", "watched", "engagement", "events")
    rows = [_window_row(window) for window in answer["windows"]]
    print_table(f"{answer['content_id']}, windows of {answer['resolution']}", columns, rows)


def _window_row(window: dict[str, Any]) -> tuple[object, ...]:
    return (
        window["start"],
        _with_error(window, "viewers"),
        _with_error(window, "concurrent"),
        f"{window['watched_ms'] / 60_000:,.1f} min",
        readable(window.get("engagement_rate")),
        sum(window["events"].values()),
    )


def _with_error(window: dict[str, Any], name: str) -> str:
    """`1,234 ± 12`, or the figure alone where it is exact."""
    error = window.get(f"{name}_error")
    return readable(window.get(name)) + (f" ± {readable(error)}" if error else "")


def top(
    *,
    window: Annotated[str | None, typer.Option(help="How far back: 7d, 24h, 30m ...")] = None,
    limit: Annotated[int | None, typer.Option(help="How many contents.")] = None,
    url: Url = DEFAULT_URL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """The contents that are watched most."""
    answer = Api(url, key).get("/v1/contents/top", window=window, limit=limit)
    if as_json:
        print_json(answer)
        return
    contents: list[dict[str, Any]] = answer["contents"]
    columns = [name for name in (contents[0] if contents else {"content_id": ""}) if not name.endswith("_error")]
    rows = [[content.get(name) for name in columns] for content in contents]
    print_table("Watched most", [name.replace("_", " ") for name in columns], rows)


def completeness(
    *,
    from_: _From = None,
    to: _Until = None,
    url: Url = DEFAULT_URL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """What became of every event that was received: counted, or why not."""
    answer = Api(url, key).get("/v1/completeness", **{"from": from_, "to": to})
    if as_json:
        print_json(answer)
        return
    print_table("Completeness", ("what", "figure"), list(_flat(answer)))


def _flat(answer: dict[str, Any]) -> list[tuple[str, object]]:
    rows: list[tuple[str, object]] = []
    for name, value in answer.items():
        told = name.replace("_", " ")
        if isinstance(value, dict):
            rows += [(f"{told}: {inner}", figure) for inner, figure in value.items()]
        else:
            rows.append((told, value))
    return rows
