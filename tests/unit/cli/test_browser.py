"""The page opens by itself where somebody would see it, and nowhere else."""

import sys
import threading
import webbrowser

import pytest

from adapters.cli import browser

SCREEN = {"DISPLAY": ":0", "CI": "", "BROWSER": "", "WAYLAND_DISPLAY": ""}


@pytest.mark.parametrize(
    ("changed", "terminal", "wanted"),
    [
        ({}, True, True),
        ({"DISPLAY": "", "WAYLAND_DISPLAY": "wayland-0"}, True, True),
        ({"DISPLAY": ""}, True, False),
        ({"CI": "true"}, True, False),
        ({}, False, False),
    ],
)
def test_a_page_opens_for_a_person_before_a_screen(
    changed: dict[str, str], terminal: bool, wanted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    for name, value in {**SCREEN, **changed}.items():
        monkeypatch.setenv(name, value)
    assert browser.is_wanted() is wanted


def test_the_browser_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    asked, may_open = threading.Event(), threading.Event()

    def slow(url: str) -> bool:
        may_open.wait(10)
        opened.append(url)
        asked.set()
        return True

    monkeypatch.setattr(webbrowser, "open", slow)
    browser.show("http://127.0.0.1:8080/")
    assert opened == []
    may_open.set()
    assert asked.wait(10)
    assert opened == ["http://127.0.0.1:8080/"]
