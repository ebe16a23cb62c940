"""`python -m lab.screenshots URL FOLDER`: a picture of each view of a running suite's page, for people to look at."""

from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import quote

import httpx
import typer
from playwright.sync_api import Browser, Page

from lab.browser import chromium, settle

WIDTHS: Final = {390: 844, 1280: 800, 1920: 1080}
THEMES: Final = ("light", "dark")
LOCALES: Final = ("en", "ar")
DRAWN_MS: Final = 600
CHOOSE: Final = """([locale, theme]) => {
  localStorage.setItem("grandstand.locale", locale);
  localStorage.setItem("grandstand.theme", theme);
}"""


def main(
    url: Annotated[str, typer.Argument(help="Where the suite is: http://127.0.0.1:8080")],
    folder: Annotated[Path, typer.Argument(help="Where the pictures go: {view}-{width}-{theme}-{locale}.png")],
    only: Annotated[list[str] | None, typer.Option(help="Only this view. Repeatable.")] = None,
) -> None:
    """Every view at phone, laptop and wall width, light and dark, from left to right and from right to left."""
    folder.mkdir(parents=True, exist_ok=True)
    routes = {view: route for view, route in views(url).items() if not only or view in only}
    if not routes:
        raise typer.BadParameter(f"there are the views {', '.join(views(url))}")
    with chromium() as browser:
        for path in taken(browser, url.rstrip("/"), folder, routes):
            print(path)


def views(url: str) -> Mapping[str, str]:
    """The views by name, each with its route. What is watched most stands for all contents."""
    live = httpx.get(f"{url}/v1/overview", timeout=30).raise_for_status().json()["live"]
    first = f"#/contents/{quote(live[0]['content_id'], safe='')}" if live else "#/contents/nobody-watches"
    return {
        "overview": "#/",
        "content": first,
        "compare": f"{first}?split=device_type",
        "preferences": "#/preferences",
        "health": "#/health",
        "sign-in": "#/sign-in",
        "no-such-content": "#/contents/never-heard-of",
    }


def taken(browser: Browser, url: str, folder: Path, routes: Mapping[str, str]) -> Iterator[Path]:
    """The pictures, one after the other."""
    for theme, locale in product(THEMES, LOCALES):
        page = browser.new_page(reduced_motion="reduce")
        page.goto(url)
        page.evaluate(CHOOSE, [locale, theme])
        for (view, route), (width, height) in product(routes.items(), WIDTHS.items()):
            path = folder / f"{view}-{width}-{theme}-{locale}.png"
            show(page, f"{url}/{route}", width, height)
            page.screenshot(path=path, full_page=True)
            yield path
        page.close()


def show(page: Page, address: str, width: int, height: int) -> None:
    """Open a view afresh in a window of this size, and let its charts be drawn."""
    page.set_viewport_size({"width": width, "height": height})
    page.goto("about:blank")
    page.goto(address)
    settle(page)
    page.wait_for_timeout(DRAWN_MS)


if __name__ == "__main__":
    typer.run(main)
