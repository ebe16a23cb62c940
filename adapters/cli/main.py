"""`grandstand`: the command line. Each command imports what it needs when it runs, so that --help is quick."""

from typing import Any

import typer
from typer.core import TyperGroup

from adapters.cli import (
    asking,
    demo,
    describing,
    doctor,
    health,
    initialising,
    letters,
    marking,
    packaging,
    rebuilding,
    replaying,
    serving,
    simulating,
)
from adapters.cli.terminal import FAILED, Failed, say
from shared.errors import GrandstandError

_EPILOG = "Exit codes: 0 done, 1 failed or refused, 2 wrong usage, 3 nothing answers at the URL."


class _Commands(TyperGroup):
    """Tells an error of ours in one line, without a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except GrandstandError as error:
            say(f"grandstand: {error}")
            raise typer.Exit(error.code if isinstance(error, Failed) else FAILED) from None


app = typer.Typer(
    name="grandstand",
    cls=_Commands,
    help="Grandstand tells a live-streaming platform what its audience does, within two seconds.",
    epilog=_EPILOG,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("serve")(serving.serve)
app.command("demo")(demo.demo)
app.command("simulate")(simulating.simulate)
app.command("replay")(replaying.replay)
app.command("audience")(asking.audience)
app.command("top")(asking.top)
app.command("completeness")(asking.completeness)
app.command("health")(health.health)
app.command("mark")(marking.mark)
app.add_typer(letters.app, name="dead-letters")
app.command("rebuild")(rebuilding.rebuild)
app.command("schema")(describing.schema)
app.command("init")(initialising.init)
app.command("package")(packaging.package)
app.command("doctor")(doctor.doctor)

if __name__ == "__main__":
    app()
