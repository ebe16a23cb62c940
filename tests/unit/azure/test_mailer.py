"""What the contract suite does not say of e-mail by Communication Services."""

from collections.abc import Iterator

import pytest

from adapters.azure.suite import Suite
from shared.errors import Misconfigured, Throttled, Unavailable
from shared.ports import Mail
from shared.settings import Settings
from tests.emulators.acs_email import AcsEmail, acs_email

SENDER = "DoNotReply@grandstand.example"
NEWS = Mail("ada@viewers.example", "Half time", "Back in a quarter of an hour.")


@pytest.fixture
def service() -> Iterator[AcsEmail]:
    with acs_email() as running:
        yield running


@pytest.fixture
def suite(service: AcsEmail) -> Suite:
    return Suite(Settings(), {"GRANDSTAND_MAIL_ENDPOINT": service.url, "GRANDSTAND_MAIL_FROM": SENDER})


def test_mails_come_from_the_sender_that_is_set(service: AcsEmail, suite: Suite) -> None:
    assert list(suite.ports.mailer().send([NEWS])) == [None]

    assert service.sent_by(SENDER) == [NEWS]


def test_an_address_that_the_service_refuses_fails_alone(service: AcsEmail, suite: Suite) -> None:
    service.suppress("bea@viewers.example")
    refused = Mail("bea@viewers.example", "Half time", "…")

    first, second = suite.ports.mailer().send([refused, NEWS])

    assert first is not None
    assert "suppression list" in first
    assert second is None


@pytest.mark.parametrize(
    ("kind", "error"), [("throttled", Throttled), ("broken", Unavailable), ("down", Unavailable)]
)
def test_faults_are_told_when_nothing_was_sent(
    service: AcsEmail, suite: Suite, kind: str, error: type[Exception]
) -> None:
    with service.fault(kind), pytest.raises(error, match=SENDER) as told:
        suite.ports.mailer().send([NEWS, NEWS])

    assert type(told.value) is error
    assert service.mails == []


def test_what_was_sent_before_a_fault_stays_sent_and_the_rest_is_told(service: AcsEmail, suite: Suite) -> None:
    service.fail_after(1)

    first, *rest = suite.ports.mailer().send([NEWS, NEWS, NEWS])

    assert first is None
    assert all(rest)
    assert len(rest) == 2
    assert service.mails == [NEWS]


def test_a_mail_whose_answer_was_lost_is_sent_once(service: AcsEmail, suite: Suite) -> None:
    service.lose_answers(2)

    assert list(suite.ports.mailer().send([NEWS])) == [None]

    assert service.mails == [NEWS]


def test_the_stand_in_answers_who_waits_for_the_outcome(service: AcsEmail, suite: Suite) -> None:
    message = {
        "senderAddress": SENDER,
        "recipients": {"to": [{"address": NEWS.to}]},
        "content": {"subject": NEWS.subject, "plainText": NEWS.text},
    }

    outcome = suite.clients.mail.begin_send(message).result()

    assert outcome["status"] == "Succeeded"
    assert service.mails == [NEWS]


@pytest.mark.parametrize("variable", ["GRANDSTAND_MAIL_ENDPOINT", "GRANDSTAND_MAIL_FROM"])
def test_a_setting_that_is_missing_is_named_before_anything_is_sent(service: AcsEmail, variable: str) -> None:
    environ = {"GRANDSTAND_MAIL_ENDPOINT": service.url, "GRANDSTAND_MAIL_FROM": SENDER}
    del environ[variable]

    with pytest.raises(Misconfigured, match=f"{variable} is not set"):
        Suite(Settings(), environ).ports.mailer()
