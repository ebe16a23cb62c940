"""What can go wrong, as one tree. Every message says what to do.

GrandstandError
├── InvalidInput          the caller's mistake: HTTP 4xx with `status`
├── Unavailable           a store, stream or secret cannot answer now; the same call may work later
│   └── Throttled         ... because we ask too much of it
├── VersionConflict       a conditional write met another version; read again and redo
├── Misconfigured         a setting, a secret or an installed package is missing or wrong
└── CorruptData           bytes that we wrote can no longer be read
"""


class GrandstandError(Exception):
    """The root; never raised itself."""


class InvalidInput(GrandstandError):
    """The caller's mistake. `status` is the HTTP status that tells it, `reason` a stable code."""

    def __init__(self, detail: str, *, status: int = 400, reason: str = "invalid") -> None:
        super().__init__(detail)
        self.detail = detail
        self.status = status
        self.reason = reason


class Unavailable(GrandstandError):
    """A store, a stream or a secret cannot answer now. `retry_after_seconds` is a hint."""

    def __init__(self, detail: str, *, retry_after_seconds: int = 1) -> None:
        super().__init__(detail)
        self.detail = detail
        self.retry_after_seconds = retry_after_seconds


class Throttled(Unavailable):
    """The store asks us to slow down."""


class VersionConflict(GrandstandError):
    """A conditional write met another version than the one it expected."""


class Misconfigured(GrandstandError):
    """A setting, a secret or an installed package is missing or wrong; the message says how to mend it."""


class CorruptData(GrandstandError):
    """Bytes that we wrote can no longer be read."""
