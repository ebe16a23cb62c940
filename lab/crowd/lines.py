"""Events as JSON of fixed width: a template per row, filled column by column from tables of ready text.

Numbers are padded with blanks on their left, texts after their closing quote: JSON allows white space there.
"""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lab.crowd.crowd import Happenings
from lab.crowd.kinds import EVENT_TYPE, Kind
from lab.crowd.match import Match
from lab.crowd.population import LADDER, NETWORKS, PROFILES

Cells = NDArray[Any]

_VARIANTS: Final = 8
_EACH: Final = range(_VARIANTS)
_NUMBER_WIDTH: Final = 6
_NUMBER: Final = f"V{_NUMBER_WIDTH}"
_NUMBERED: Final = {Kind.START: "startup_ms", Kind.STALL: "stall_ms", Kind.SEEK: "seek_from_seconds"}
_IS_NUMBERED: Final = np.isin(np.arange(len(Kind)), list(_NUMBERED))

_CHATTER: Final = ("what a goal", "offside!", "come on", "great save", "no penalty", "ole ole", "wow", "replay?")
_REACTIONS: Final = ("goal", "love", "wow", "laugh", "sad", "angry", "clap", "fire")
_ERRORS: Final = ("network", "decode", "drm", "manifest", "segment", "timeout", "license", "unknown")
_DETAILS: Final = {
    Kind.HEARTBEAT: [f',"buffer_ms":{2_000 + 3_500 * variant}' for variant in _EACH],
    Kind.ERROR: [f',"error_code":"{code}"' for code in _ERRORS],
    Kind.REACTION: [f',"reaction":"{reaction}"' for reaction in _REACTIONS],
    Kind.CHAT: [f',"text":"{text}"' for text in _CHATTER],
    Kind.POLL: [f',"poll_id":"best","option":"{variant + 1}"' for variant in _EACH],
    Kind.RATING: [f',"rating":{1 + variant % 5}' for variant in _EACH],
    Kind.FOLLOW: [f',"follow_kind":"team","follow_id":"{variant + 1}"' for variant in _EACH],
    Kind.AD_START: [f',"ad_id":"spot-{variant + 1}"' for variant in _EACH],
    Kind.AD_END: [f',"ad_id":"spot-{variant + 1}"' for variant in _EACH],
    **{kind: [f',"{name}":'] * _VARIANTS for kind, name in _NUMBERED.items()},
}
_PLAIN: Final = [""] * _VARIANTS
"""The members which only this kind of event carries; a number follows where it needs one."""


def _fragments(texts: Iterable[str]) -> Cells:
    """Texts as equally wide cells, filled up with blanks."""
    encoded = [text.encode() for text in texts]
    width = max(len(text) for text in encoded)
    return np.frombuffer(b"".join(text.ljust(width) for text in encoded), f"V{width}")


def _numbers(count: int, width: int, fill: str, dtype: str) -> Cells:
    """The numbers below `count`, right-aligned. `dtype` is any type of that width: numpy copies integers fastest."""
    return np.frombuffer(b"".join(str(number).rjust(width, fill).encode() for number in range(count)), dtype)


_FOUR: Final = _numbers(10_000, 4, "0", "<u4")
_ONE: Final = _numbers(10, 1, "0", "u1")
_THREE_BLANK: Final = _numbers(1_000, 3, " ", "V3")
_SIX_BLANK: Final = _numbers(100_000, _NUMBER_WIDTH, " ", _NUMBER)


class Lines:
    """Writes happenings as rows of one width. `separator` ends each row: a line feed, or a comma for arrays."""

    def __init__(self, match: Match, separator: bytes = b"\n") -> None:
        self._start_ms = match.start_ms
        self._profiles = _fragments(
            f',"device_type":"{device}","country":"{country}","tier":"{tier}","age_group":"{age}"'
            for (device, _), (country, _), (tier, _), (age, _) in PROFILES
        )
        self._pictures = _fragments(
            f',"quality_level":"{level}","bitrate_kbps":{kbps},"network_quality":"{network}"'
            for network in NETWORKS
            for level, kbps in LADDER
        )
        self._contents = _fragments(f'"{name}"' for name in match.content_ids)
        self._deeds = _fragments(
            f',"event_type":"{EVENT_TYPE[kind]}"{detail}' for kind in Kind for detail in _DETAILS.get(kind, _PLAIN)
        )
        self._layout(match, separator)

    def _layout(self, match: Match, separator: bytes) -> None:
        """The row: constant text and named cells, in order; a cell of no stated type is as wide as its table."""
        population = blake2b(str(match.seed).encode(), digest_size=3).hexdigest()
        pieces: list[str | tuple[str, str]] = ['{"event_id":"', ("event_no", "<u8"), "-", ("seen_hi", "V9")]
        pieces += [("seen_lo", "<u4"), '","event_timestamp":', ("time_hi", "V9"), ("time_lo", "<u4")]
        pieces += [f',"viewer_id":"{population}-', ("viewer_no", "<u8"), f'","session_id":"{match.run_id}-']
        pieces += [("session_of", "<u8"), "-", ("session_no", "<u4"), '","content_id":', ("content", "")]
        pieces += [
            ',"content_type":"live","position_seconds":',
            ("position", f"V{_NUMBER_WIDTH}"),
            ".",
            ("tenth", "u1"),
        ]
        pieces += [',"watched_ms":', ("watched", f"V{_NUMBER_WIDTH}"), ("picture", ""), ("profile", "")]
        pieces += [',"report_every_seconds":', ("every", "V3"), ("deed", ""), "}" + separator.decode()]
        tables = {
            "content": self._contents,
            "picture": self._pictures,
            "profile": self._profiles,
            "deed": self._deeds,
        }

        template = b""
        cells: dict[str, tuple[np.dtype[Any], int]] = {}
        for piece in pieces:
            if isinstance(piece, str):
                template += piece.encode()
                continue
            name, described = piece
            kind = tables[name].dtype if name in tables else np.dtype(described)
            cells[name] = (kind, len(template))
            template += b" " * kind.itemsize
        number_at = len(template) - len(separator) - 1 - _NUMBER_WIDTH
        cells["number"] = (np.dtype(_NUMBER), number_at)  # over the end of the deed, where that is blank
        self.width = len(template)
        self._template = np.frombuffer(template, f"V{self.width}")[0]
        self._row = np.dtype(
            {
                "names": list(cells),
                "formats": [kind for kind, _ in cells.values()],
                "offsets": [offset for _, offset in cells.values()],
                "itemsize": self.width,
            }
        )

    def render(self, told: Happenings, offset_ms: NDArray[np.int64] | int = 0) -> memoryview:
        """The rows' bytes, `width` each. `offset_ms` is how far the clock of each row's sender is ahead."""
        rows = np.empty(len(told), self._row)
        if not len(told):
            return memoryview(b"")
        rows.view(f"V{self.width}")[:] = self._template

        seen = told.at + self._start_ms
        self._time(rows, "seen", seen)
        if np.any(offset_ms):
            self._time(rows, "time", seen + offset_ms)
        else:
            rows["time_hi"], rows["time_lo"] = rows["seen_hi"], rows["seen_lo"]
        viewer_no = np.empty((len(told), 2), "<u4")
        head = told.viewer // 10_000
        viewer_no[:, 0] = _FOUR.take(head)
        viewer_no[:, 1] = _FOUR.take(told.viewer - head * 10_000)
        rows["event_no"] = rows["viewer_no"] = rows["session_of"] = viewer_no.view("<u8")[:, 0]
        rows["session_no"] = _FOUR.take(told.session, mode="clip")
        rows["content"] = self._contents.take(told.content)
        second = told.position // 10
        rows["position"] = _SIX_BLANK.take(second)
        rows["tenth"] = _ONE.take(told.position - second * 10)
        rows["watched"] = _SIX_BLANK.take(told.watched)
        rows["picture"] = self._pictures.take(told.network * np.uint8(len(LADDER)) + told.quality)
        rows["profile"] = self._profiles.take(told.profile)
        rows["every"] = _THREE_BLANK[told.report_every_seconds]
        variant = (seen + told.viewer * 7) % _VARIANTS
        rows["deed"] = self._deeds.take(told.kind.astype(np.int64) * _VARIANTS + variant)
        numbered = np.flatnonzero(_IS_NUMBERED[told.kind])
        rows["number"][numbered] = _SIX_BLANK.take(told.number[numbered])
        return rows.view(np.uint8).data

    @staticmethod
    def _time(rows: Cells, name: str, ms: NDArray[np.int64]) -> None:
        """13 digits of ms since epoch; the leading nine hardly differ among the rows of one tick."""
        head = ms // 10_000
        first = int(head.min())
        heads = [b"%09d" % value for value in range(first, int(head.max()) + 1)]
        rows[f"{name}_hi"] = np.frombuffer(b"".join(heads), "V9").take(head - first)
        rows[f"{name}_lo"] = _FOUR.take(ms - head * 10_000)
