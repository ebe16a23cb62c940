"""The suite serves the built page as a CDN would: the right types, kept as long as is right, and nothing else."""

import gzip
import json
from pathlib import Path

import httpx
import pytest

from adapters.local.page import MEDIA_TYPES, WEB, is_built, make
from functions.http.app import SECURITY_HEADERS
from tests.asgi import Client
from tests.unit.http.stage import client, local

INDEX = "<!doctype html><title>Grandstand</title>" + "<p>figures</p>" * 100
SCRIPT = "export const answer = 42;\n" * 100
FILES = {
    "index.html": INDEX,
    "beacon.js": SCRIPT,
    "beacon.mjs": SCRIPT,
    "widgets.js": SCRIPT,
    "assets/index-1a2b.js": SCRIPT,
    "assets/index-3c4d.css": "p { color: red }",
    "assets/en-5e6f.json": "{}",
    ".hidden.js": SCRIPT,
    "assets/.DS_Store": "x",
    ".git/config.json": "{}",
    "notes.md": "not for the web",
}
SERVED = {"/", "/beacon.js", "/beacon.mjs", "/widgets.js", "/assets/index-1a2b.js", "/assets/index-3c4d.css"}


@pytest.fixture
def web(tmp_path: Path) -> Path:
    """A folder as the web's build leaves it."""
    (tmp_path / "security-headers.json").write_bytes((WEB / "security-headers.json").read_bytes())
    for name, text in FILES.items():
        path = tmp_path / "dist" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


@pytest.fixture
def page(web: Path) -> Client:
    return client(*make(web))


def plainly(page: Client, path: str, **headers: str) -> httpx.Response:
    return page.get(path, headers={"Accept-Encoding": "identity", **headers})


def test_every_file_that_is_for_the_web_has_an_address(page: Client, web: Path) -> None:
    assert {endpoint.path for endpoint in make(web)} == SERVED | {"/assets/en-5e6f.json"}
    for address in SERVED:
        assert page.get(address).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/.hidden.js",
        "/.git/config.json",
        "/assets/.DS_Store",
        "/notes.md",
        "/index.htm",
        "/assets/",
        "/assets/index-1a2b",
        "/assets/../security-headers.json",
        "/assets/%2e%2e/security-headers.json",
        "/..%2fsecurity-headers.json",
        "//etc/passwd",
    ],
)
def test_nothing_else_has_one(page: Client, path: str) -> None:
    assert page.get(path).status_code == 404


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/beacon.js", "text/javascript; charset=utf-8"),
        ("/beacon.mjs", "text/javascript; charset=utf-8"),
        ("/assets/index-3c4d.css", "text/css; charset=utf-8"),
        ("/assets/en-5e6f.json", "application/json"),
    ],
)
def test_a_file_has_its_type(page: Client, path: str, media_type: str) -> None:
    assert page.get(path).headers["content-type"] == media_type


def test_what_has_a_hash_in_its_name_is_kept_forever_and_all_else_is_asked_for_first(page: Client) -> None:
    for path in SERVED:
        kept = page.get(path).headers["cache-control"]
        assert kept == ("public, max-age=31536000, immutable" if path.startswith("/assets/") else "no-cache")


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_who_has_the_newest_version_is_told_so(page: Client, encoding: str) -> None:
    first = page.get("/", headers={"Accept-Encoding": encoding})
    tag = first.headers["etag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = page.get("/", headers={"Accept-Encoding": encoding, "If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
        assert again.headers["cache-control"] == "no-cache"
    assert page.get("/", headers={"If-None-Match": '"an older one"'}).status_code == 200


def test_a_new_build_has_a_new_version(page: Client, web: Path) -> None:
    before = plainly(page, "/").headers["etag"]
    (web / "dist" / "index.html").write_text(INDEX + "news")
    assert plainly(page, "/").headers["etag"] == before  # read when the server started
    assert plainly(client(*make(web)), "/").headers["etag"] != before


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("*", True),
        ("gzip;q=0", False),
        ("gzip;q=0.000, *", False),
        ("*;q=0", False),
        ("identity", False),
        ("br", False),
        ("", False),
    ],
)
def test_gzip_is_for_those_who_take_it(page: Client, accepted: str, packed: bool) -> None:
    answer = page.get("/", headers={"Accept-Encoding": accepted})
    assert answer.text == INDEX
    assert (answer.headers.get("content-encoding") == "gzip") is packed
    assert answer.headers["vary"] == "Accept-Encoding"
    assert int(answer.headers["content-length"]) == (len(gzip.compress(INDEX.encode())) if packed else len(INDEX))


def test_the_two_encodings_are_two_versions_to_a_cache(page: Client) -> None:
    plain, packed = (
        page.get("/", headers={"Accept-Encoding": each}).headers["etag"] for each in ("identity", "gzip")
    )
    assert plain != packed


def test_what_does_not_get_smaller_is_sent_as_it_is(page: Client) -> None:
    answer = page.get("/assets/index-3c4d.css", headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in answer.headers
    assert "vary" not in answer.headers


def test_the_policy_lets_the_page_reach_its_own_origin_and_no_other(page: Client) -> None:
    policy = dict(each.split(" ", 1) for each in page.get("/").headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["require-trusted-types-for"] == "'script'"
    for directive in ("script-src", "style-src", "connect-src", "font-src"):
        assert policy[directive] == "'self'"
    for directive in ("base-uri", "form-action", "frame-ancestors"):
        assert policy[directive] == "'none'"
    assert policy["img-src"] == "'self' data: blob:"


def test_every_answer_has_each_header_once(page: Client) -> None:
    for path in SERVED:
        names = [name for name, _ in page.get(path).headers.multi_items()]
        assert len(set(names)) == len(names)
        assert {"cross-origin-opener-policy", "permissions-policy", "x-content-type-options"} <= set(names)


def test_what_the_edge_sets_is_what_the_file_says() -> None:
    rules = json.loads((WEB / "security-headers.json").read_bytes())["/*"]
    told = {name.lower(): value for name, value in rules.items()}
    assert {name.decode(): value.decode() for name, value in SECURITY_HEADERS}.items() <= told.items()


@pytest.mark.parametrize("path", ["/beacon.js", "/beacon.mjs", "/widgets.js"])
def test_what_other_pages_load_may_be_loaded_by_them(page: Client, path: str) -> None:
    answer = page.get(path, headers={"Origin": "https://club.example"})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"


@pytest.mark.parametrize("path", ["/", "/assets/index-1a2b.js"])
def test_the_page_itself_is_for_no_other(page: Client, path: str) -> None:
    answer = page.get(path, headers={"Origin": "https://club.example"})
    assert "access-control-allow-origin" not in answer.headers
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"


def test_head_is_answered_and_nothing_can_be_posted(page: Client) -> None:
    assert page.request("HEAD", "/").status_code == 200
    refused = page.post("/", json={})
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")


def test_on_loopback_a_page_of_another_site_is_refused(web: Path) -> None:
    assert local(*make(web)).get("/", headers={"Host": "evil.example"}).status_code == 403
    assert local(*make(web)).get("/beacon.mjs", headers={"Origin": "http://localhost:3000"}).status_code == 200


def test_the_document_speaks_of_the_api_alone(page: Client) -> None:
    assert not SERVED & set(page.get("/openapi.json").json()["paths"])


def test_without_a_build_the_page_says_how_to_make_one(tmp_path: Path) -> None:
    (tmp_path / "security-headers.json").write_bytes((WEB / "security-headers.json").read_bytes())
    assert not is_built(tmp_path)
    answer = client(*make(tmp_path)).get("/")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "make web" in answer.text
    assert "<script" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"


def test_a_build_is_found_beside_the_packages(web: Path) -> None:
    assert is_built(web)
    assert WEB.samefile(Path(__file__).parents[3] / "web")


def test_every_type_says_how_its_text_is_written() -> None:
    assert all("charset=utf-8" in media_type for media_type in MEDIA_TYPES.values() if media_type.startswith("text/"))
