"""The static server that the players fetch from. Its request log is what a CDN's would be."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urlsplit

PLAYERS = Path(__file__).parent
Log = Callable[[str, Mapping[str, str]], None]
"""Called for each request with its target (path and query, as sent) and its headers."""


@contextmanager
def serve_origin(stream: Path, log: Log) -> Iterator[str]:
    """Serve `/stream/` (the match), `/players/` (npm packages) and `/pages/`; yields the server's URL."""
    folders = {"stream": stream, "players": PLAYERS / "node_modules", "pages": PLAYERS}

    class Handler(SimpleHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def translate_path(self, path: str) -> str:
            first, *rest = [part for part in unquote(urlsplit(path).path).split("/") if part not in ("", ".", "..")]
            return os.fspath(folders[first].joinpath(*rest))

        def do_GET(self) -> None:
            log(self.path, dict(self.headers))
            super().do_GET()

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Said to `log` instead of to standard error."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=partial(server.serve_forever, poll_interval=0.05), name="origin")
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
