"""`<grandstand-viewers>` on a page of another site, whose policy is strict, in a real browser."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, Request

from lab.browser import until
from tests.e2e.axe import violations
from tests.e2e.browsing import browsing
from tests.e2e.live_page.suite import OPERATOR, PUBLISH, WRITE, Suite, serving

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("live-page")]

HTML = """<!doctype html>
<html lang="en">
<title>Another site</title>
<link rel="stylesheet" href="/site.css">
<script type="module" src="{suite}/widgets.js"></script>
<main><h1>Another site</h1><p>{widgets}</p></main>
"""
CSS = """
body { background: #fff; color: #111; }
@media (prefers-color-scheme: dark) { body { background: #111; color: #eee; } }
grandstand-viewers { --grandstand-dot-color: rgb(0, 128, 0); }
grandstand-viewers::part(count) { font-size: 40px; }
.far { display: block; margin-top: 5000px; }
"""
LISTEN = """
window.told = [];
for (const name of ["grandstand-update", "grandstand-error"])
  addEventListener(name, ({ type, detail }) => told.push({ type, ...detail }), true);
window.violations = [];
addEventListener("securitypolicyviolation", (event) => violations.push(event.violatedDirective), true);
"""
SHOWS = """([element, text]) => {
  const figure = element.shadowRoot.querySelector("[part=figure]");
  return text === (figure.hidden ? element.textContent : figure.innerText.replaceAll("\\n", " ").trim());
}"""


@dataclass
class Site:
    """A page with widgets on it."""

    page: Page
    suite: Suite
    requests: list[Request] = field(default_factory=list)
    console: list[str] = field(default_factory=list)

    def sent(self, request: Request) -> None:
        self.requests.append(request)

    def shows(self, text: str, number: int = 0) -> None:
        """Wait until a widget reads so."""
        handle = self.page.locator("grandstand-viewers").nth(number).element_handle()
        until(self.page, SHOWS, [handle, text])

    def told(self, kind: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.page.evaluate("told")
        return [one for one in found if one["type"] == kind]

    def polls(self) -> list[Request]:
        return [each for each in self.requests if "/audience/now" in each.url]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as launched:
        yield launched


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    with serving(tmp_path_factory.mktemp("widget"), keyed=True) as started:
        watch(started, "final", 3)
        watch(started, "rehearsal", 2)
        with started.client as client:
            client.put("/v1/contents/rehearsal/listing", json={"listed": False}).raise_for_status()
        yield started


def watch(suite: Suite, content_id: str, viewers: int) -> None:
    """People join, and the suite has counted them."""
    events = [
        {
            "event_type": "join",
            "content_id": content_id,
            "viewer_id": f"viewer-{number}",
            "event_timestamp": int(time.time() * 1000),
            "report_every_seconds": 90,
        }
        for number in range(viewers)
    ]
    headers = {"authorization": f"Bearer {WRITE}"}
    httpx.post(f"{suite.url}/v1/events", json=events, headers=headers).raise_for_status()
    deadline = time.monotonic() + 30
    with suite.client as client:
        while True:
            answer = client.get(f"/v1/contents/{content_id}/audience/now")
            if answer.is_success and answer.json()["concurrent"] >= viewers:
                return
            assert time.monotonic() < deadline, answer.text
            time.sleep(0.1)


@contextmanager
def hosting(html: str, policy: str) -> Iterator[str]:
    """The other site, on a port of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            sheet = self.path == "/site.css"
            body = (CSS if sheet else html).encode()
            self.send_response(200)
            self.send_header("content-type", "text/css" if sheet else "text/html; charset=utf-8")
            self.send_header("content-security-policy", policy)
            self.send_header("set-cookie", "secret=1")
            self.end_headers()
            self.wfile.write(body)

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=partial(server.serve_forever, poll_interval=0.05))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def embedded(browser: Browser, suite: Suite, *widgets: str, **options: Any) -> Iterator[Site]:
    policy = (
        f"default-src 'none'; script-src {suite.url}; connect-src {suite.url}; style-src 'self'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )
    html = HTML.format(suite=suite.url, widgets=" ".join(widgets))
    with hosting(html, policy) as url:
        context = browser.new_context(**options)
        context.add_init_script(LISTEN)
        site = Site(context.new_page(), suite)
        site.page.on("request", site.sent)
        site.page.on("console", lambda said: site.console.append(said.text))
        site.page.on("pageerror", lambda error: site.console.append(str(error)))
        try:
            site.page.goto(url)
            yield site
            assert site.page.evaluate("violations") == []
        finally:
            context.close()


def widget(content: str, key: str = PUBLISH, more: str = "") -> str:
    return f'<grandstand-viewers content="{content}" key="{key}" {more}>Live now</grandstand-viewers>'


def test_a_page_of_another_site_shows_how_many_watch(browser: Browser, suite: Suite) -> None:
    with embedded(browser, suite, widget("final", more='label="Cup final"')) as site:
        site.shows("Cup final 3 viewers")
        assert site.told("grandstand-update")[0]["concurrent"] == 3
        sent = site.polls()[0].all_headers()
        assert {"cookie", "referer", "authorization"}.isdisjoint(sent)
        assert site.console == []


def test_it_follows_the_audience(browser: Browser, suite: Suite) -> None:
    watch(suite, "growing", 2)
    with embedded(browser, suite, widget("growing", more="every=2")) as site:
        site.shows("2 viewers")
        watch(suite, "growing", 9)
        site.shows("9 viewers")


def test_elements_of_one_content_share_their_questions(browser: Browser, suite: Suite) -> None:
    with embedded(browser, suite, *[widget("final")] * 20) as site:
        for number in range(20):
            site.shows("3 viewers", number)
        assert len(site.polls()) <= 2


@pytest.mark.parametrize("content", ["rehearsal", "never-heard-of"])
def test_a_content_that_is_not_listed_looks_like_one_that_is_not_there(
    browser: Browser, suite: Suite, content: str
) -> None:
    with embedded(browser, suite, widget(content)) as site:
        until(site.page, "told.length > 0")
        site.shows("Live now")
        (error,) = site.told("grandstand-error")
        assert (error["reason"], error["status"]) == ("no-such-content", 404)


@pytest.mark.parametrize("key", [OPERATOR, WRITE, "no key", ""])
def test_no_other_key_than_a_publish_key_does(browser: Browser, suite: Suite, key: str) -> None:
    with embedded(browser, suite, widget("final", key)) as site:
        until(site.page, "told.length > 0")
        site.shows("Live now")
        assert [one["reason"] for one in site.told("grandstand-error")] == ["key"]
        assert any("publish key" in line for line in site.console)


def test_the_count_outlives_a_restart_of_the_suite(browser: Browser, suite: Suite) -> None:
    watch(suite, "long", 4)
    with embedded(browser, suite, widget("long", more="every=2")) as site:
        site.shows("4 viewers")
        suite.stop()
        until(site.page, "told.some(({ reason }) => reason === 'unreachable')")
        site.shows("4 viewers")
        suite.start()
        seen = len(site.told("grandstand-update"))
        until(site.page, f"told.filter(({{ type }}) => type === 'grandstand-update').length > {seen}")
        site.shows("4 viewers")


def test_nobody_is_asked_for_what_nobody_sees(browser: Browser, suite: Suite) -> None:
    with embedded(browser, suite, widget("final"), widget("far", more="class=far every=2")) as site:
        site.shows("3 viewers")
        assert not [each for each in site.polls() if "/far/" in each.url]
        site.page.mouse.wheel(0, 10_000)
        until(site.page, "told.some(({ reason }) => reason === 'no-such-content')")


def test_each_language_has_its_words_and_its_numerals(browser: Browser, suite: Suite) -> None:
    said = {
        "en": "3 viewers",
        "es": "3 espectadores",
        "de-AT": "3 Zuschauer",
        "fr": "3 spectateurs",
        "hi": "3 दर्शक",
        "ar-EG": "٣ مشاهدين",
        "it": "3 viewers",
    }
    with embedded(browser, suite, *[widget("final", more=f'lang="{tag}"') for tag in said]) as site:
        for number, text in enumerate(said.values()):
            site.shows(text, number)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_the_page_decides_how_it_looks(browser: Browser, suite: Suite, scheme: Any) -> None:
    with embedded(browser, suite, widget("final"), widget("none"), color_scheme=scheme) as site:
        site.shows("3 viewers")
        assert violations(site.page) == []
        style = (
            "(name) => getComputedStyle(document.querySelector('grandstand-viewers').shadowRoot.querySelector(name))"
        )
        assert site.page.evaluate(f"({style})('[part=count]').fontSize") == "40px"
        assert site.page.evaluate(f"({style})('[part=dot]').backgroundColor") == "rgb(0, 128, 0)"
        color = site.page.evaluate(f"({style})('[part=text]').color")
        assert color == site.page.evaluate("getComputedStyle(document.body).color")


def test_the_built_module_is_as_small_as_promised() -> None:
    import gzip

    built = Path(__file__).parents[2] / "web" / "dist" / "widgets.js"
    assert len(gzip.compress(built.read_bytes())) <= 4096
