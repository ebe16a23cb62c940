"""`dead-letters`: records that could not be handled, and handing them over again."""

from typing import Annotated

import typer

from adapters.cli.api import Api
from adapters.cli.options import DEFAULT_URL, AsJson, Key, Url
from adapters.cli.terminal import FAILED, MISUSED, Failed, print_json, print_table, say

app = typer.Typer(help="Records that could not be handled: list them, replay them.", no_args_is_help=True)

_PATH = "/v1/dead-letters"


@app.command("list")
def list_(
    limit: Annotated[int | None, typer.Option(help="How many at most.")] = None,
    cursor: Annotated[str | None, typer.Option(help="Where the last page ended.")] = None,
    url: Url = DEFAULT_URL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """The records in the dead letters, and why each is there."""
    answer = Api(url, key).get(_PATH, limit=limit, cursor=cursor)
    if as_json:
        print_json(answer)
        return
    columns = ("record_id", "function", "reason", "dead_at", "bytes")
    rows = [[letter[name] for name in columns] for letter in answer["letters"]]
    print_table("Dead letters", [name.replace("_", " ") for name in columns], rows)
    if answer["next"]:
        say(f"There are more: --cursor {answer['next']}")


@app.command("replay")
def replay(
    record_ids: Annotated[list[str] | None, typer.Argument(help="Which, by their record ids.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    url: Url = DEFAULT_URL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Hand records over again. They keep their ids, so that nothing is counted twice."""
    if bool(record_ids) == everything:
        raise Failed("say which by their record ids, or --all.", MISUSED)
    answer = Api(url, key).post(f"{_PATH}/replay", {} if everything else {"record_ids": record_ids})
    if as_json:
        print_json(answer)
        return
    say(f"{answer['replayed']} replayed.")
    for refusal in answer["refused"]:
        say(f"{refusal['record_id']} was not replayed: {refusal['reason']}")
    if answer["refused"]:
        raise typer.Exit(FAILED)
