"""Finding a content by its title or id."""

import unicodedata
from functools import lru_cache


@lru_cache(maxsize=20_000)
def folded(text: str) -> str:
    """The text without case and accents: NFKD, marks left out, casefolded (Unicode 15, section 3.13)."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(character for character in decomposed if not unicodedata.combining(character))
    return unicodedata.normalize("NFKD", bare.casefold())


def matches(asked: str, content_id: str, title: str | None) -> bool:
    """Whether the title or the id holds what is asked for; every content holds the empty text."""
    wanted = folded(asked.strip())
    return not wanted or wanted in folded(content_id) or (title is not None and wanted in folded(title))
