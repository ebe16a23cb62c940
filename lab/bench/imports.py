"""What it costs to import each function's entry, against what its host needs: boto3 and a Kinesis client."""

import subprocess
import sys
from importlib.util import find_spec
from math import nan
from statistics import median

from functions.manifest import FUNCTIONS
from lab.bench.figure import Figure

ROUNDS = 7
KINESIS = "import boto3; boto3.client('kinesis', 'eu-central-1', aws_access_key_id='x', aws_secret_access_key='x')"
TIMED = "from time import perf_counter as now; started = now(); {}; print(now() - started)"


def figures() -> list[Figure]:
    """Milliseconds of a new interpreter, page cache warm; the median of several, taken in turns."""
    statements = {each.name: f"import {each.entry.partition(':')[0]}" for each in FUNCTIONS}
    if find_spec("boto3"):
        statements["boto3 with a Kinesis client"] = KINESIS
    seconds = import_seconds(statements)
    found = [Figure(f"import {name}", 1000 * value, "ms") for name, value in seconds.items()]
    ingest, boto3 = seconds.get("ingest", nan), seconds.get("boto3 with a Kinesis client", nan)
    note = "" if find_spec("boto3") else "boto3 is absent: .venv/bin/pip install boto3"
    return [
        *found,
        Figure("import ingest ÷ boto3 with a Kinesis client", ingest / boto3, "ratio", 0.45, note, at_most=True),
    ]


def import_seconds(statements: dict[str, str]) -> dict[str, float]:
    """The median seconds of each statement, each time in a new interpreter."""
    taken: dict[str, list[float]] = {name: [] for name in statements}
    for _ in range(ROUNDS):
        for name, statement in statements.items():
            command = [sys.executable, "-c", TIMED.format(statement)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            taken[name].append(float(done.stdout))
    return {name: median(times) for name, times in taken.items()}
