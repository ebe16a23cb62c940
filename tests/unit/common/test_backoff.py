"""What may help is tried again, a little later each time; what cannot is told at once."""

import pytest

from adapters.common.backoff import ATTEMPTS, pause_seconds, retry
from adapters.common.mails import refusal
from shared.errors import Misconfigured, Throttled
from shared.ports import Mail


class Flaky:
    """Fails so many times."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"


def test_a_throttled_call_is_tried_again_after_a_pause_that_may_grow() -> None:
    slept: list[float] = []
    call = Flaky(*[Throttled("slow down")] * 3)

    assert retry(call, Throttled, sleep=slept.append) == "done"
    assert len(slept) == 3
    assert all(0 <= pause <= 0.05 * 2**attempt for attempt, pause in enumerate(slept))


def test_the_last_error_is_told_once_the_attempts_are_used_up() -> None:
    call = Flaky(*[Throttled(f"slow down {n}") for n in range(9)])

    with pytest.raises(Throttled, match=str(ATTEMPTS - 1)):
        retry(call, Throttled, sleep=lambda _: None)
    assert call.calls == ATTEMPTS


def test_another_error_is_told_at_once() -> None:
    call = Flaky(Misconfigured("no such table"))

    with pytest.raises(Misconfigured):
        retry(call, Throttled, sleep=lambda _: None)
    assert call.calls == 1


def test_pauses_have_an_end() -> None:
    assert all(pause_seconds(attempt) <= 2.0 for attempt in range(200))


@pytest.mark.parametrize(
    ("to", "subject", "told"),
    [
        ("ada@viewers.example", "Tor! ⚽", None),
        ("ada", "Tor", "no e-mail address"),
        ("@viewers.example", "Tor", "no e-mail address"),
        ("ada@", "Tor", "no e-mail address"),
        ("ada@viewers.example, bea@viewers.example", "Tor", "no e-mail address"),
        ("ada@viewers.example\r\nBcc: x@y.example", "Tor", "no e-mail address"),
        ("ada@viewers.example", "Tor\nBcc: x@y.example", "subject"),
    ],
)
def test_a_mail_that_could_be_two_is_refused(to: str, subject: str, told: str | None) -> None:
    reason = refusal(Mail(to, subject, "…"))

    assert (reason is None) if told is None else (told in (reason or ""))
