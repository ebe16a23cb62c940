"""What no mailer takes, whoever carries the mail."""

from shared.ports import Mail


def refusal(mail: Mail) -> str | None:
    """Why a mail is not even tried; None when it may be. A line feed in a header would add headers of its own."""
    name, _, domain = mail.to.rpartition("@")
    if not name or not domain or " " in mail.to or not mail.to.isprintable():
        return "this is no e-mail address"
    if not mail.subject.isprintable():
        return "the subject holds characters that cannot be printed"
    return None
