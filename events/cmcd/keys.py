"""The reserved keys of CMCD: their types, their header shards, and what must accompany what.

Sources: CTA-5004 (version 1) and CTA-5004-A/-B (version 2); where the two editions of version 2 name a thing
differently (`df` and `dfa`), both names are known.
"""

from enum import Enum, auto
from typing import Final


class Type(Enum):
    """What a key's value is. In version 1 the two list types are plain scalars."""

    INTEGER = auto()
    DECIMAL = auto()
    BOOLEAN = auto()
    STRING = auto()
    TOKEN = auto()
    INTEGER_LIST = auto()
    STRING_LIST = auto()


TYPES: Final = {
    **dict.fromkeys(
        ["ab", "bl", "br", "bsa", "bsd", "bsda", "lab", "lb", "mtp", "pb", "tab", "tb", "tbb", "tbl", "tpb"],
        Type.INTEGER_LIST,
    ),
    **dict.fromkeys(("ec", "nor"), Type.STRING_LIST),
    **dict.fromkeys(
        ["d", "df", "dfa", "dl", "ltc", "msd", "pt", "rc", "rtp", "sn", "tp", "ts", "ttfb", "ttfbb", "ttlb", "v"],
        Type.INTEGER,
    ),
    "pr": Type.DECIMAL,
    **dict.fromkeys(("bg", "bs", "nr", "su"), Type.BOOLEAN),
    **dict.fromkeys(["cdn", "cen", "cid", "cmsdd", "cmsds", "cs", "h", "nrr", "sid", "smrt", "url"], Type.STRING),
    **dict.fromkeys(("e", "ot", "sf", "st", "sta"), Type.TOKEN),
}

VERSION_1_KEYS: Final = frozenset(
    ["bl", "br", "bs", "cid", "d", "dl", "mtp", "nor", "nrr", "ot", "pr", "rtp", "sf", "sid", "st", "su", "tb", "v"]
)

HUNDREDS: Final = frozenset(("bl", "dl", "mtp", "rtp", "tbl"))
"""Rounded to the nearest 100 ms or 100 kbit/s, so that they tell less of one viewer from another."""

MAX_CHARACTERS: Final = {"sid": 64, "cid": 128, "cdn": 128, "h": 128, "cen": 64}

REQUIRED_WITH: Final = {
    "ps": "sta",
    "pr": "pr",
    "c": "cid",
    "bc": "br",
    "e": "ec",
    "ce": "cen",
    "rr": "url",
    "h": "h",
}
"""By event type, the key that must come with it; `ts` must come with every event."""

SHARDS: Final = {
    **dict.fromkeys(["ab", "br", "d", "lab", "lb", "ot", "tab", "tb", "tbb", "tpb"], "cmcd-object"),
    **dict.fromkeys(
        ["bl", "cs", "df", "dfa", "dl", "ltc", "mtp", "nor", "nrr", "pb", "sn", "sta", "su", "tbl", "tp"],
        "cmcd-request",
    ),
    **dict.fromkeys(["cid", "msd", "sf", "sid", "st", "v"], "cmcd-session"),
    **dict.fromkeys(["bg", "bs", "bsa", "bsd", "bsda", "cdn", "ec", "nr", "pr", "pt", "rtp"], "cmcd-status"),
}
"""The header that carries a key in request mode; custom keys may travel in any of the four."""

HEADERS: Final = ("cmcd-object", "cmcd-request", "cmcd-session", "cmcd-status")
