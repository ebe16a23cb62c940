"""What an operator may set: environment variables `GRANDSTAND_<NAME>`, read once by a composition root.

A msgspec struct rather than pydantic-settings, since ingest reads them on every cold start.
"""

from collections.abc import Mapping
from typing import Annotated

import msgspec

from shared.errors import Misconfigured

PREFIX = "GRANDSTAND_"
DAY_SECONDS = 24 * 3600
Positive = Annotated[int, msgspec.Meta(gt=0)]
NotNegative = Annotated[int, msgspec.Meta(ge=0)]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Times in seconds unless a name says otherwise; sizes in bytes."""

    # what ingest accepts
    max_age_seconds: Positive = 7 * 24 * 3600
    max_ahead_seconds: NotNegative = 5 * 60
    max_body_bytes: Positive = 2 * 1024 * 1024
    max_decoded_bytes: Positive = 16 * 1024 * 1024
    max_events_per_body: Positive = 10_000
    extra_fields: tuple[str, ...] = ()
    """The operator's allow-list of fields kept in `extra`."""
    allowed_origins: tuple[str, ...] = ("*",)
    """Web origins that may post with a write key."""

    group_commit_ms: NotNegative = 0
    """How long the first request of a group waits for others before they are committed together."""

    # how often players report, and when sampling sets in
    report_every_seconds: Positive = 10
    max_report_every_seconds: Positive = 60
    comfortable_events_per_second: Positive = 50_000
    """Per ingest instance: above this rate the reporting interval grows."""
    sampling_events_per_second: Positive = 200_000
    """Per ingest instance: above this rate heartbeats are sampled."""
    shed_events_per_second: Positive = 1_000_000
    """Per ingest instance: above this rate bodies are refused with 429."""

    # the stream contract
    horizon_seconds: Positive = 24 * 3600
    state_days: Positive = 9
    """Longer where `max_age_seconds` and `horizon_seconds` need it."""
    chunk_events: Positive = 500
    dead_letter_days: Positive = 14

    # fan-out
    fan_out_viewers: Positive = 20_000
    """How many viewers one state partition is meant to hold."""
    max_fan_out: Positive = 256

    # history
    history_days: Positive = 400

    # credentials; the keys themselves are secrets
    jwt_audience: str = "grandstand"
    jwt_issuer: str = ""
    jwt_jwks_url: str = ""


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Settings from the environment. Raises Misconfigured with the variable's name and what it takes."""
    values: dict[str, object] = {}
    for info in msgspec.structs.fields(Settings):
        text = environ.get(PREFIX + info.name.upper())
        if text is None:
            continue
        is_list = isinstance(info.default, tuple)
        values[info.name] = [part.strip() for part in text.split(",") if part.strip()] if is_list else text
        try:
            msgspec.convert(values[info.name], info.type, strict=False)
        except msgspec.ValidationError as error:
            raise Misconfigured(f"{PREFIX}{info.name.upper()}={text!r}: {error}. Correct or unset it.") from None
    return _with_lasting_states(msgspec.convert(values, Settings, strict=False), told="state_days" in values)


def _with_lasting_states(settings: Settings, *, told: bool) -> Settings:
    """States live as long as an event of theirs may come and be delivered again, and a day (design, section 4)."""
    least = -(-(settings.max_age_seconds + settings.horizon_seconds) // DAY_SECONDS) + 1
    if settings.state_days >= least:
        return settings
    if told:
        raise Misconfigured(
            f"{PREFIX}STATE_DAYS={settings.state_days}: events up to {settings.max_age_seconds} s old are accepted "
            f"and may be delivered again for {settings.horizon_seconds} s. Give at least {least}, or unset it."
        )
    return msgspec.structs.replace(settings, state_days=least)
