"""The variables that a function cannot do without, looked at before anything is made."""

import re
from collections.abc import Mapping
from typing import Final

from adapters.common.environment import NAME, require, suite_name
from adapters.gcp.clients import PROJECT
from functions.manifest import Function
from shared.errors import Misconfigured

_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,39}", re.ASCII)


def check(function: Function, environ: Mapping[str, str]) -> None:
    """Raises Misconfigured that names the first one missing, or wrong."""
    name, project = suite_name(environ), require(environ, PROJECT, "my-project")
    if not _NAME.fullmatch(name):
        raise Misconfigured(
            f"{NAME}={name!r} cannot begin the names of Google Cloud's resources. Take at most 40 lower-case "
            f"letters, digits and dashes, a letter first, for example {NAME}=sports-eu."
        )
    used = function.hosted_reads | function.hosted_writes
    if any(each == "history" or each.startswith("objects:") for each in used):
        require(environ, "GRANDSTAND_BUCKET", f"{project}-{name}")
    for each in sorted(function.hosted_writes):
        kind, _, queue = each.partition(":")
        if kind == "queue":
            require(environ, "GRANDSTAND_REGION", "europe-west1")
            require(environ, f"GRANDSTAND_QUEUE_URL_{queue.replace('-', '_').upper()}", "https://….a.run.app")
            require(environ, "GRANDSTAND_INVOKER", f"{name}-invoker@{project}.iam.gserviceaccount.com")
    if "mail" in used:
        require(environ, "GRANDSTAND_SMTP_URL", "smtps://user@mail.example.com:465")
        require(environ, "GRANDSTAND_MAIL_FROM", "news@example.com")
