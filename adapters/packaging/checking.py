"""Starts a packaged function from its unpacked archive, with nothing else on its path but what its runtime has.

It is made with its provider's ports, and answers what needs none of them.
Everything the archive's own modules may import is imported, also what they import inside functions: a package that
leaves out too much fails here, and not in the middle of a match.
"""

import json
import os
import subprocess
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from adapters.packaging.cache import digest
from adapters.packaging.contents import SITE_PACKAGES, Plan
from adapters.packaging.entries import HANDLERS
from adapters.packaging.job import Job
from adapters.packaging.target import Cloud
from adapters.packaging.wheels import Prepared
from functions.manifest import Http
from shared.errors import Misconfigured

SCRIPT: Final = Path(__file__).with_name("started.py")
_TIMEOUT_SECONDS: Final = 120


def check(archive: Path, planned: Plan, job: Job, provided: Sequence[Prepared]) -> None:
    """Import and start it. What passed once, and is the same to the byte, passes again.

    Raises Misconfigured with what the runtime would have said.
    """
    passed = job.cache.folder("checked") / digest(archive.read_bytes(), SCRIPT.read_bytes())
    if passed.exists():
        return
    with tempfile.TemporaryDirectory(prefix="grandstand-check-") as folder:
        with zipfile.ZipFile(archive) as file:
            file.extractall(folder)
        said = _start(Path(folder), planned, job, provided)
    if said is not None:
        raise Misconfigured(
            f"{planned.function.name} does not start from its archive:\n{said}\n"
            "Something that it needs was left out; see NEVER_IMPORTED in adapters/packaging/libraries.py, pruning.py "
            "and needs.py there."
        )
    job.cache.write(passed, b"")


def path_of(folder: Path, cloud: Cloud) -> list[str]:
    """Where the cloud's runtime looks for modules, in an unpacked archive."""
    places = [str(folder)]
    if SITE_PACKAGES[cloud]:
        places.append(str(folder / SITE_PACKAGES[cloud]))
    return places


def _start(folder: Path, planned: Plan, job: Job, provided: Sequence[Prepared]) -> str | None:
    """What it said when it failed."""
    cloud = job.target.cloud
    suite = f"adapters.{cloud}.suite"
    asked = {
        "path": [*path_of(folder, cloud), *_folders(provided)],
        "modules": [*planned.closure.modules, *planned.closure.libraries],
        "handler": HANDLERS[cloud],
        "suite": suite if suite in planned.closure.modules else None,
        "speaks_http": isinstance(planned.function.trigger, Http),
    }
    done = subprocess.run(  # noqa: S603
        [job.python.path, "-I", "-S", "-B", str(SCRIPT)],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
        timeout=_TIMEOUT_SECONDS,
        cwd=folder,
        env={
            "PATH": os.defpath,
            "HOME": str(folder),
            "GRANDSTAND_FUNCTION": planned.function.name,
            **_SURROUNDINGS[cloud],
        },
    )
    return done.stderr.strip()[-4000:] or f"exit code {done.returncode}" if done.returncode else None


def _folders(provided: Iterable[Prepared]) -> list[str]:
    """Where the files of prepared distributions are."""
    found = set()
    for each in provided:
        for member in each.members:
            found.add(str(member.path)[: -len(member.name)])
            break
    return sorted(found)


_SURROUNDINGS: Final = {
    Cloud.aws: {
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_EC2_METADATA_DISABLED": "true",
        "GRANDSTAND_BUCKET": "none",
        "GRANDSTAND_MAIL_FROM": "nobody@example.com",
    },
    Cloud.azure: {
        "GRANDSTAND_STORAGE_ACCOUNT": "none",
        "GRANDSTAND_EVENT_HUBS": "none.servicebus.windows.net",
        "GRANDSTAND_KEY_VAULT": "https://none.vault.azure.net",
        "GRANDSTAND_MAIL_ENDPOINT": "https://none.communication.azure.com",
        "GRANDSTAND_MAIL_FROM": "nobody@example.com",
    },
    Cloud.gcp: {
        "GOOGLE_CLOUD_PROJECT": "none",
        "GRANDSTAND_REGION": "europe-west1",
        "GRANDSTAND_BUCKET": "none",
        "GRANDSTAND_INVOKER": "nobody@example.com",
        "GRANDSTAND_SMTP_URL": "smtp://127.0.0.1:9",
        "GRANDSTAND_MAIL_FROM": "nobody@example.com",
    },
}
"""Names that resolve to nothing: a start must not reach for a cloud."""
