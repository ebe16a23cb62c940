"""The static server that the players fetch from. Its request log is what a CDN's would be."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from urllib.parse import unquote, urlsplit

PLAYERS = Path(__file__).parent
BUILT = Path(__file__).parents[3] / "web" / "dist"
Log = Callable[[str, Mapping[str, str]], None]
"""Called for each request with its target (path and query, as sent) and its headers."""


@contextmanager
def serve_origin(stream: Path, log: Log, flowing: Event | None = None) -> Iterator[str]:
    """Serve `/stream/` (the match), `/players/` (npm packages), `/pages/` and `/built/` (web/dist); yields the
    server's URL. While `flowing` is given and not set, the stream's requests wait.
    """
    folders = {"stream": stream, "players": PLAYERS / "node_modules", "pages": PLAYERS, "built": BUILT}

    class Handler(SimpleHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def translate_path(self, path: str) -> str:
            first, *rest = [part for part in unquote(urlsplit(path).path).split("/") if part not in ("", ".", "..")]
            return os.fspath(folders[first].joinpath(*rest))

        def do_GET(self) -> None:
            log(self.path, dict(self.headers))
            if flowing is not None and self.path.startswith("/stream/"):
                flowing.wait()
            super().do_GET()

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Said to `log` instead of to standard error."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=partial(server.serve_forever, poll_interval=0.05), name="origin")
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        if flowing is not None:
            flowing.set()
        server.shutdown()
        thread.join()
        server.server_close()
