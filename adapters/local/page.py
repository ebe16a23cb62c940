"""The live page, the beacon and the widgets, as the web's build left them in `web/dist`.

Every file is read when the server starts and has an endpoint of its own, so no request names a path on the disk.
Headers come from `web/security-headers.json`, which a CDN's deployment reads too: `/*` holds for all, an address for
itself.
"""

import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

import adapters
from functions.http.app import SECURITY_HEADERS
from functions.http.endpoint import Endpoint, Scope

WEB: Final = Path(adapters.__file__).parents[1] / "web"
"""Beside the packages: in a checkout as in an installed wheel."""
HEADERS_FILE: Final = "security-headers.json"

MEDIA_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
PACKED_ALREADY: Final = frozenset({".ico", ".png", ".woff2"})

FOREVER: Final = "public, max-age=31536000, immutable"
"""For names that hold a hash of what is in them."""
ASK_FIRST: Final = "no-cache"

UNBUILT: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Grandstand</title>
<h1>The live page is not built yet</h1>
<p>The suite is running. Build its page with <code>make web</code>, then start the suite again.</p>
<p>The API is described at <a href="/docs">/docs</a>.</p>
</html>
"""

Headers = Mapping[str, str]


def make(web: Path = WEB) -> list[Endpoint]:
    """An endpoint for each file of `web/dist`; where no page was built, one at `/` that says how to."""
    rules = _rules(web)
    built = [_endpoint(address, _read(path), _headers(rules, address)) for address, path in _files(web / "dist")]
    return built if is_built(web) else [*built, _unbuilt(_headers(rules, "/"))]


def is_built(web: Path = WEB) -> bool:
    """Whether there is a page to serve."""
    return (web / "dist" / "index.html").is_file()


@dataclass(frozen=True, slots=True)
class Representation:
    """A file as it is sent, in one encoding."""

    data: bytes
    headers: Headers

    @property
    def tag(self) -> str:
        """A strong validator: it differs between encodings."""
        return self.headers["ETag"]


@dataclass(frozen=True, slots=True)
class File:
    """What one address answers with; `packed` where gzip makes it smaller."""

    media_type: str
    plain: Representation
    packed: Representation | None


def _files(dist: Path) -> Iterator[tuple[str, Path]]:
    """Addresses and their files. What is hidden, or of a type that is not known, is not for the web."""
    for path in sorted(dist.rglob("*")):
        name = path.relative_to(dist)
        hidden = any(part.startswith(".") for part in name.parts)
        if path.is_file() and not hidden and path.suffix in MEDIA_TYPES:
            yield ("/" if name == Path("index.html") else f"/{name.as_posix()}"), path


def _read(path: Path) -> File:
    data = path.read_bytes()
    packed = data if path.suffix in PACKED_ALREADY else gzip.compress(data, mtime=0)
    return File(
        media_type=MEDIA_TYPES[path.suffix],
        plain=_representation(data),
        packed=_representation(packed, {"Content-Encoding": "gzip"}) if len(packed) < len(data) else None,
    )


def _representation(data: bytes, headers: Headers | None = None) -> Representation:
    return Representation(data, {"ETag": f'"{sha256(data).hexdigest()[:32]}"', **(headers or {})})


def _endpoint(address: str, file: File, headers: Headers) -> Endpoint:
    kept = FOREVER if address.startswith("/assets/") else ASK_FIRST
    always = {**headers, "Cache-Control": kept, **({"Vary": "Accept-Encoding"} if file.packed else {})}

    async def answer(request: Request) -> Response:
        sent = file.packed if file.packed and _takes_gzip(request.headers.get("accept-encoding", "")) else file.plain
        tagged = {**always, **sent.headers}
        if _is_known(sent.tag, request.headers.get("if-none-match", "")):
            return Response(status_code=304, headers=tagged)
        return Response(sent.data, headers=tagged, media_type=file.media_type)

    return Endpoint(("GET",), address, answer, Scope.OPEN, "A file of the live page", document=None)


def _unbuilt(headers: Headers) -> Endpoint:
    async def answer(_: Request) -> Response:
        return Response(UNBUILT, 404, {**headers, "Cache-Control": "no-store"}, MEDIA_TYPES[".html"])

    return Endpoint(("GET",), "/", answer, Scope.OPEN, "How to build the live page", document=None)


def _rules(web: Path) -> dict[str, dict[str, str]]:
    rules: dict[str, dict[str, str]] = json.loads((web / HEADERS_FILE).read_bytes())
    return rules


def _headers(rules: Mapping[str, Headers], address: str) -> Headers:
    """What the rules say of an address, without what the edge sets on every answer."""
    everywhere = {name.decode().lower() for name, _ in SECURITY_HEADERS}
    told = {**rules["/*"], **rules.get(address, {})}
    return {name: value for name, value in told.items() if name.lower() not in everywhere}


def _takes_gzip(accepted: str) -> bool:
    """Whether `Accept-Encoding` lets an answer be gzip (RFC 9110, section 12.5.3)."""
    qualities: dict[str, bool] = {}
    for each in accepted.lower().split(","):
        name, _, quality = each.partition(";")
        qualities[name.strip()] = quality.replace(" ", "").rstrip("0") not in ("q=", "q=0.")
    return qualities.get("gzip", qualities.get("*", False))


def _is_known(tag: str, known: str) -> bool:
    """Whether `If-None-Match` names this version; caches may have weakened its tag (RFC 9110, section 13.1.2)."""
    tags = {each.strip().removeprefix("W/") for each in known.split(",")}
    return tag in tags or "*" in tags
