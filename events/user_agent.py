"""What kind of device a User-Agent header names."""

import re
from functools import lru_cache
from typing import Final

_KINDS: Final = (
    ("console", r"playstation|xbox|nintendo"),
    ("set_top_box", r"appletv|apple tv|roku|\baft[a-z0-9]{1,5}\b|crkey|googletv|android tv|stb\b"),
    ("smart_tv", r"smart-?tv|hbbtv|web0s|webos|tizen.*\btv|bravia|netcast|viera"),
    ("tablet", r"ipad|tablet|kindle|silk/|android(?!.*mobile)"),
    ("mobile", r"iphone|ipod|mobile|android|windows phone"),
    ("desktop", r"windows nt|macintosh|mac os x|x11|linux|cros"),
)
_PATTERNS: Final = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _KINDS)
_LONGEST: Final = 1_000


@lru_cache(maxsize=1_000)
def device_type(user_agent: str | None) -> str | None:
    """`smart_tv`, `set_top_box`, `console`, `tablet`, `mobile` or `desktop`; None where the header does not tell."""
    if not user_agent:
        return None
    head = user_agent[:_LONGEST]
    return next((kind for kind, pattern in _PATTERNS if pattern.search(head)), None)
