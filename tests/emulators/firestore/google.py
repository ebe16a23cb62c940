"""Google's own Firestore emulator, where the machine has it."""

import os
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

VARIABLE: Final = "GRANDSTAND_GOOGLE_EMULATORS"
"""`auto` (the default) uses Google's emulators where they are, `never` does not look for them."""
JAR: Final = "platform/cloud-firestore-emulator/cloud-firestore-emulator.jar"
MAIN: Final = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"
ENDPOINT: Final = re.compile(r"API endpoint: http://(\S+)")


class NotInstalled(Exception):
    """The emulator, or Java, is not there; the message says how to get it."""


def sdk_root() -> Path:
    """Where the Google Cloud CLI is installed. Raises NotInstalled."""
    if os.environ.get(VARIABLE, "auto") == "never":
        raise NotInstalled(f"{VARIABLE}=never")
    gcloud = shutil.which("gcloud")
    if gcloud is None:
        raise NotInstalled("the Google Cloud CLI is not installed")
    return Path(gcloud).resolve().parents[1]


@contextmanager
def google_emulator() -> Iterator[str]:
    """Its host:port, until the block ends. Raises NotInstalled."""
    jar = sdk_root() / JAR
    java = shutil.which("java")
    if not jar.exists() or java is None:
        raise NotInstalled("get it with: gcloud components install cloud-firestore-emulator, and a Java runtime")
    with socket.create_server(("127.0.0.1", 0)) as free:  # given port 0 it does not say which one it took
        port = free.getsockname()[1]
    command = [java, "-Duser.language=en", "-cp", str(jar), MAIN, "start", "--host=127.0.0.1", f"--port={port}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        try:
            address = _address(process.stdout)
            threading.Thread(target=process.stdout.read, daemon=True).start()  # a full pipe would stop it
            yield address
        finally:
            process.kill()


def _address(said: IO[str]) -> str:
    lines: list[str] = []
    for line in said:
        lines.append(line)
        if found := ENDPOINT.search(line):
            return found[1]
    raise RuntimeError("the Firestore emulator did not start: " + "".join(lines))
