"""`dead-letters`: records that could not be handled, and handing them over again."""

from typing import Annotated, Any

import typer

from adapters.cli.api import Api
from adapters.cli.options import DEFAULT_URL, AsJson, Key, Url
from adapters.cli.terminal import MISUSED, Failed, print_json, print_table

app = typer.Typer(help="Records that could not be handled: list them, replay them.", no_args_is_help=True)

_PATH = "/v1/dead-letters"


@app.command("list")
def list_(
    limit: Annotated[int | None, typer.Option(help="How many at most.")] = None,
    url: Url = DEFAULT_URL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """The records in the dead letters, and why each is there."""
    answer = Api(url, key).get(_PATH, limit=limit)
    if as_json:
        print_json(answer)
        return
    letters = _letters(answer)
    columns = list(letters[0]) if letters else ["record_id", "reason"]
    rows = [[letter.get(name) for name in columns] for letter in letters]
    print_table("Dead letters", [name.replace("_", " ") for name in columns], rows)


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
    body: dict[str, Any] = {"all": True} if everything else {"record_ids": record_ids}
    answer = Api(url, key).post(f"{_PATH}/replay", body)
    if as_json:
        print_json(answer)
        return
    print_table("Replay", ("what", "records"), [(name.replace("_", " "), value) for name, value in answer.items()])


def _letters(answer: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = answer["dead_letters"]
    return found
