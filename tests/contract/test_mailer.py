from shared.ports import Mail
from tests.contract.rig import Rig

GOAL = Mail("ada@viewers.example", "Tor! ⚽", "1:0 – die Führung\n", "<p>1:0 – die Führung</p>")


def test_mails_arrive_as_they_were_written(provider: Rig) -> None:
    plain = Mail("bea@viewers.example", "Half time", "Back in a quarter of an hour.")

    results = provider.ports.mailer().send([GOAL, plain])

    assert list(results) == [None, None]
    arrived = {mail.to: mail for mail in provider.mailbox()}
    assert arrived[GOAL.to].subject == GOAL.subject
    assert arrived[GOAL.to].text.strip() == GOAL.text.strip()
    assert (arrived[GOAL.to].html or "").strip() == GOAL.html
    assert arrived[plain.to].text.strip() == plain.text
    assert not arrived[plain.to].html


def test_a_mail_that_cannot_be_sent_fails_alone_and_says_why(provider: Rig) -> None:
    nowhere = Mail("nobody", "Half time", "…")
    smuggler = Mail("cor@viewers.example", "Half time\r\nBcc: everybody@viewers.example", "…")

    results = provider.ports.mailer().send([nowhere, GOAL, smuggler])

    assert [result is None for result in results] == [False, True, False]
    assert all(result for result in (results[0], results[2]))
    assert {mail.to for mail in provider.mailbox()} == {GOAL.to}


def test_nothing_is_sent_by_an_empty_call(provider: Rig) -> None:
    assert list(provider.ports.mailer().send([])) == []
    assert list(provider.mailbox()) == []
