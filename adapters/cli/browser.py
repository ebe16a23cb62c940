"""Shows a page in the person's own browser, where there is a person and a browser."""

import os
import sys
import threading
import webbrowser


def is_wanted() -> bool:
    """Whether somebody sits before a screen: a terminal, not a pipe, and no build server."""
    return sys.stdout.isatty() and not os.environ.get("CI") and _has_screen()


def show(url: str) -> None:
    """Open `url` and go on at once; nothing happens where there is no browser."""
    threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()


def _has_screen() -> bool:
    """Without one, Python would open a browser of text in this very terminal."""
    if sys.platform in ("darwin", "win32"):
        return True
    return any(os.environ.get(name) for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"))
