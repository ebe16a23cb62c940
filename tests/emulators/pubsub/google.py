"""Google's own Pub/Sub emulator, where the machine has it."""

import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Final

from tests.emulators.firestore.google import NotInstalled, sdk_root

FOLDER: Final = "platform/pubsub-emulator/lib"
READY: Final = "Server started"


@contextmanager
def google_emulator() -> Iterator[str]:
    """Its host:port, until the block ends. Raises NotInstalled."""
    jar = next((sdk_root() / FOLDER).glob("cloud-pubsub-emulator-*-all.jar"), None)
    java = shutil.which("java")
    if jar is None or java is None:
        raise NotInstalled("get it with: gcloud components install pubsub-emulator, and a Java runtime")
    with socket.create_server(("127.0.0.1", 0)) as free:  # given port 0 it does not say which one it took
        port = free.getsockname()[1]
    command = [java, "-Duser.language=en", "-jar", str(jar), "--host=127.0.0.1", f"--port={port}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        try:
            _await(process.stdout)
            threading.Thread(target=process.stdout.read, daemon=True).start()  # a full pipe would stop it
            yield f"127.0.0.1:{port}"
        finally:
            process.kill()


def _await(said: IO[str]) -> None:
    lines: list[str] = []
    for line in said:
        lines.append(line)
        if READY in line:
            return
    raise RuntimeError("the Pub/Sub emulator did not start: " + "".join(lines))
