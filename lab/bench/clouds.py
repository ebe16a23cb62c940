"""Packaged functions on each cloud: how soon they start, what a call costs, their sizes, and the bill."""

import json
import os
import subprocess
import sys
import tempfile
import zipfile
from base64 import b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final

from adapters.packaging.building import Built, build
from adapters.packaging.bytecode import interpreter
from adapters.packaging.cache import Cache, default_folder
from adapters.packaging.checking import path_of
from adapters.packaging.job import Job
from adapters.packaging.needs import HOSTS
from adapters.packaging.target import Arch, Cloud, Target
from functions.manifest import FUNCTIONS
from lab.bench import clouds_bill
from lab.bench.clouds_staged import HOT, STAGES, Environ
from lab.bench.figure import Figure

ROUNDS: Final = 7
CALLS: Final = 60
GLIBC: Final = (2, 28)
SCRIPT: Final = Path(__file__).with_name("clouds_started.py")
PROJECT: Final = Path(__file__).parent.parent.parent
MIB: Final = 1024 * 1024
_KINESIS: Final = "import boto3; boto3.client({!r}, 'eu-west-1', aws_access_key_id='x', aws_secret_access_key='x')"
CLIENTS: Final[Mapping[Cloud, Mapping[str, str]]] = {
    Cloud.aws: {
        "ingest": _KINESIS.format("kinesis"),
        "aggregate": _KINESIS.format("dynamodb"),
        "audience": _KINESIS.format("dynamodb"),
    },
    Cloud.azure: {
        "ingest": "from azure.eventhub import EventHubProducerClient",
        "aggregate": "from azure.data.tables import TableServiceClient",
        "audience": "from azure.data.tables import TableServiceClient",
    },
    Cloud.gcp: {
        "ingest": "from google.pubsub_v1 import PublisherClient",
        "aggregate": "from google.cloud.firestore_v1.types import firestore",
        "audience": "from google.cloud.firestore_v1.types import firestore",
    },
}
"""The cloud client that each function cannot do without, imported from the function's own package."""
HTTP: Final[Mapping[str, Any]] = {
    "ingest": {
        "method": "POST",
        "path": "/v1/events",
        "headers": {"authorization": "Bearer write", "content-type": "application/json"},
    },
    "aggregate": None,
    "audience": {
        "method": "GET",
        "path": "/v1/contents/match-000000/audience?resolution=5s",
        "headers": {"authorization": "Bearer operator"},
    },
}


def figures() -> list[Figure]:
    """Sizes and times of each cloud's hot functions, then the bill. What cannot be tried is told by its note."""
    found: list[Figure] = []
    for cloud in Cloud:
        try:
            found += _on(cloud)
        except Exception as error:  # one cloud's trouble must not cost the others' figures
            found.append(Figure(f"{cloud}: not measured", float("nan"), "", note=f"{type(error).__name__}: {error}"))
    return found + clouds_bill.figures()


def _on(cloud: Cloud) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="grandstand-bench-") as folder, STAGES[cloud]() as environ:
        built = _built(cloud, Path(folder, "packages"))
        found = [Figure(f"{cloud}: zip of {each.function.name}", each.zipped / MIB, "MiB") for each in built]
        for each in built:
            unpacked = Path(folder, each.function.name)
            with zipfile.ZipFile(each.path) as file:
                file.extractall(unpacked)
            found += _measured(cloud, each.function.name, unpacked, environ)
        return found


def _built(cloud: Cloud, out: Path) -> Sequence[Built]:
    here = Arch.arm64 if os.uname().machine in ("aarch64", "arm64") else Arch.x86_64
    python = interpreter(sys.executable)
    target = Target(cloud, here, python.version, GLIBC)
    job = Job(target, python, PROJECT, Cache(default_folder()), lambda _: None)
    return build(job, [each for each in FUNCTIONS if each.name in HOT], out, check=False)


def _measured(cloud: Cloud, name: str, unpacked: Path, environ: Environ) -> list[Figure]:
    calls = clouds_bill.records(CALLS + ROUNDS) if HTTP[name] is None else clouds_bill.posted(CALLS)
    bare, whole = [], []
    for _ in range(ROUNDS):
        bare.append(_run(cloud, name, unpacked, environ, calls, client=CLIENTS[cloud][name])["import"])
        started = _run(cloud, name, unpacked, environ, calls)
        whole.append(started["import"] + started["first"])
    warm = _run(cloud, name, unpacked, environ, calls, times=CALLS)
    note = f"{1000 * median(whole):.0f} ms ÷ {1000 * median(bare):.0f} ms, medians of {ROUNDS} new processes"
    return [
        Figure(
            f"{cloud}: import and first call of {name} ÷ its client", median(whole) / median(bare), "ratio", note=note
        ),
        Figure(
            f"{cloud}: warm call of {name}",
            1000 * warm["processor"],
            "ms",
            note=f"its own processor time, 100 events a call; {1000 * warm['elapsed']:.1f} ms with its emulator",
        ),
    ]


def _run(
    cloud: Cloud,
    name: str,
    unpacked: Path,
    environ: Environ,
    calls: Sequence[bytes],
    *,
    client: str = "",
    times: int = 1,
) -> dict[str, float]:
    asked = {
        "path": [*path_of(unpacked, cloud), *_framework(cloud)],
        "client": client,
        "handler": HOSTS[cloud],
        "suite": f"adapters.{cloud}.suite",
        "http": HTTP[name],
        "bodies": [b64encode(each).decode() for each in calls[:times]],
        "calls": times,
    }
    command = [sys.executable, "-I", "-S", "-B", str(SCRIPT)]
    surroundings = {"PATH": os.defpath, "HOME": str(unpacked), "GRANDSTAND_FUNCTION": name, **environ}
    given = json.dumps(asked)
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False, env=surroundings)
    if done.returncode:
        raise RuntimeError(done.stderr.strip()[-600:])
    times_taken: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return times_taken


def _framework(cloud: Cloud) -> list[str]:
    """Where functions-framework is, which Google's build installs beside a package."""
    import functions_framework

    return [str(Path(functions_framework.__file__).parent.parent)] if cloud is Cloud.gcp else []
