"""Runs the Flink job and Grandstand on the same file, one core each, and compares their rows.

Flink is optional. PyPI's `apache-flink-libraries` carries its jars; Java 17 compiles and runs the job.
"""

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from math import nan
from pathlib import Path
from tempfile import TemporaryDirectory

from lab.bench.figure import Figure
from lab.bench.path import best, durably, in_memory
from lab.bench.rows import Row
from lab.bench.workload import bodies, recently

BODIES = 1_000
EVENTS = BODIES * 500
FLINK_ROUNDS = 5
JOB = Path(__file__).with_name("AudienceJob.java")
PACKAGE = "apache-flink-libraries==2.3.0"
OPENED = ("java.base/java.util=ALL-UNNAMED", "java.base/java.lang=ALL-UNNAMED")


@dataclass(frozen=True)
class FlinkRun:
    """Seconds from the first line read to the last row out: in a new JVM, and the best once it is warm."""

    cold_seconds: float
    warm_seconds: float
    rows: set[Row]


def absent() -> str:
    """What is missing and how to get it; nothing when the job can run."""
    missing = [program for program in ("java", "javac", "taskset") if shutil.which(program) is None]
    if missing:
        return f"{', '.join(missing)} absent: apt-get install openjdk-17-jdk-headless util-linux"
    if find_spec("pyflink") is None:
        return f"Flink is absent: .venv/bin/pip install --no-deps {PACKAGE}"
    return ""


def figures() -> list[Figure]:
    """Events a second by each, and the ratios; without Flink, what is missing."""
    posted = [b"\n".join(body) + b"\n" for body in bodies(BODIES, start_ms=recently())]
    if reason := absent():
        return [Figure("Grandstand ÷ Flink", nan, "ratio", 4, reason)]
    with TemporaryDirectory() as folder:
        flink = run_flink(posted, Path(folder))
    memory, durable = (best(run, posted) for run in (in_memory, durably))
    same = "same rows" if flink.rows == memory.rows == durable.rows else "THE ROWS DIFFER"
    contenders = {"in memory": (memory, 4.0), "durably": (durable, 1.5)}
    ratios = [
        Figure(f"Grandstand {how} ÷ Flink {state}", seconds / run.seconds, "ratio", budget, same)
        for how, (run, budget) in contenders.items()
        for state, seconds in (("warm", flink.warm_seconds), ("cold", flink.cold_seconds))
    ]
    return [
        Figure(
            "Flink, warm JVM", EVENTS / flink.warm_seconds, "events/s", note="heap state, nothing durable, one core"
        ),
        Figure(
            "Flink, new JVM", EVENTS / flink.cold_seconds, "events/s", note="its first run; the JVM's start left out"
        ),
        Figure("Grandstand in memory", EVENTS / memory.seconds, "events/s", note="JSON bytes to rows, one core"),
        Figure("Grandstand durably", EVENTS / durable.seconds, "events/s", note="the same by SQLite with FULL sync"),
        *ratios,
    ]


def run_flink(posted: Sequence[bytes], folder: Path) -> FlinkRun:
    """Compile and run the job. Raises CalledProcessError when either fails."""
    spec = find_spec("pyflink")
    libraries = Path(next(iter(spec.submodule_search_locations or ()))) / "lib" if spec else folder
    events, classes, rows = folder / "events.ndjson", folder / "classes", folder / "rows.csv"
    events.write_bytes(b"".join(posted))
    subprocess.run(["javac", "-nowarn", "-d", classes, "-cp", f"{libraries}/*", JOB], check=True)
    opened = [part for package in OPENED for part in ("--add-opens", package)]
    java = ["java", "-Xmx3g", *opened, "-cp", f"{classes}:{libraries}/*", "AudienceJob"]
    command = ["taskset", "-c", "0", *java, str(events), str(FLINK_ROUNDS), str(rows)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    cold, *warm = [float(line) for line in done.stdout.split()]
    fields = [line.split(",") for line in rows.read_text().splitlines()]
    return FlinkRun(cold, min(warm), {Row(content, *map(int, numbers)) for content, *numbers in fields})
