"""`init`: the secrets that a cloud's deployment needs, made where they are missing."""

import os
from importlib import import_module
from typing import Annotated

import typer

from adapters.cli.options import AsJson
from adapters.cli.terminal import print_json, print_table
from adapters.packaging.target import Cloud


def init(
    cloud: Annotated[Cloud, typer.Option(help="Where the suite is deployed; signed in as for its own tool.")],
    as_json: AsJson = False,
) -> None:
    """Make the secrets that the suite needs, with fresh random values, where there are none.

    Say which deployment by the variables that its functions have: GRANDSTAND_NAME and those of the cloud. What has a
    value keeps it, so this may be run again. No value is printed.
    """
    from adapters.common.environment import suite_name
    from adapters.common.fresh_secrets import put_missing

    made = put_missing(import_module(f"adapters.{cloud}.initialise").putter(os.environ))
    if as_json:
        print_json(made)
        return
    rows = [(name, "made" if fresh else "was there") for name, fresh in made.items()]
    print_table(f"Secrets of {suite_name(os.environ)} on {cloud}", ("secret", ""), rows)
