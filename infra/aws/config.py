"""What may be chosen about a deployment to AWS: the CDK's context values, checked before anything is made."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import adapters
from shared.errors import Misconfigured
from shared.settings import DAY_SECONDS, Settings, load_settings

WEB: Final = Path(adapters.__file__).parents[1] / "web"
LEAST_HORIZON_SECONDS: Final = 2 * 3_600
Look = Callable[[str], Any]
"""A context value by name, None where there is none."""


@dataclass(frozen=True, slots=True)
class Config:
    """The choices; `docs/deploy-aws.md` explains each. Times are in seconds unless a name says otherwise."""

    packages: Path
    page: Path
    name: str = "grandstand"
    shards: int | None = None
    """Of each stream; None leaves them to Kinesis (on demand)."""
    snap_start: frozenset[str] | None = None
    """Functions that start from a snapshot; None leaves it to those for which it helps, where it is possible."""
    reserved: Mapping[str, int] = field(default_factory=dict)
    """Instances that a function may have at most, and is sure of."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """`GRANDSTAND_…` variables that every function gets."""
    mail_from: str | None = None
    alarm_email: str | None = None
    domain: str | None = None
    certificate: str | None = None
    web_acl: str | None = None
    keep: bool = True
    """Whether data outlives the stack."""
    log_days: int = 30

    @property
    def horizon_seconds(self) -> int:
        """How long a record may come again (shared/settings)."""
        return self._checked.horizon_seconds

    @property
    def dead_letter_days(self) -> int:
        return self._checked.dead_letter_days

    @property
    def _checked(self) -> Settings:
        return load_settings(self.settings)


def read_config(look: Look) -> Config:
    """The choices from context values. Raises Misconfigured with the value that is wrong and one that would do."""
    packages = look("packages")
    if not packages:
        raise Misconfigured(
            "Say where the packages are: -c packages=DIR. Make them with: grandstand package --cloud aws --out DIR"
        )
    config = Config(
        packages=Path(packages),
        page=Path(look("page") or WEB / "dist"),
        name=_name(look("name") or "grandstand"),
        shards=_shards(look("shards")),
        snap_start=_functions(look("snap_start")),
        reserved=_whole_numbers(_object("reserved", look("reserved"))),
        settings=_settings(_object("settings", look("settings"))),
        mail_from=look("mail_from") or None,
        alarm_email=look("alarm_email") or None,
        domain=look("domain") or None,
        certificate=look("certificate") or None,
        web_acl=look("web_acl") or None,
        keep=_yes("keep", look("keep")),
    )
    if bool(config.domain) != bool(config.certificate):
        raise Misconfigured(
            "A domain needs its certificate and a certificate its domain: "
            "-c domain=live.example.com -c certificate=arn:aws:acm:us-east-1:…"
        )
    _check_retention(config)
    return config


def _name(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,30}[a-z0-9]", name):
        raise Misconfigured(f"name={name!r}: 2 to 32 lower-case letters, digits and dashes, for example grandstand")
    return name


def _shards(value: Any) -> int | None:
    if value in (None, "", "on-demand"):
        return None
    if not str(value).isdecimal() or int(value) < 1:
        raise Misconfigured(f"shards={value!r}: a number of shards, for example shards=2, or on-demand")
    return int(value)


def _functions(value: Any) -> frozenset[str] | None:
    if not value:
        return None
    parts = value if isinstance(value, list) else str(value).split(",")
    return frozenset(part.strip() for part in parts if part.strip() not in ("", "none"))


def _object(name: str, value: Any) -> dict[str, Any]:
    """A context value that is JSON: as text on a command line, as it is in cdk.json."""
    if not value:
        return {}
    try:
        read = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        read = None
    if not isinstance(read, dict):
        raise Misconfigured(f"{name}={value!r} is no JSON object; for example {name}='{{\"ingest\": 100}}'")
    return read


def _whole_numbers(values: Mapping[str, Any]) -> dict[str, int]:
    for function, number in values.items():
        if not isinstance(number, int) or number < 0:
            raise Misconfigured(f"reserved: {function} has {number!r}; a whole number is due, for example 100")
    return dict(values)


def _settings(values: Mapping[str, Any]) -> dict[str, str]:
    for name, value in values.items():
        if not name.startswith("GRANDSTAND_") or not isinstance(value, str):
            raise Misconfigured(
                f"settings: {name!r}: {value!r}; names begin with GRANDSTAND_ and values are text, "
                'for example {"GRANDSTAND_MAX_AGE_SECONDS": "86400"}'
            )
    load_settings(values)
    return dict(values)


def _check_retention(config: Config) -> None:
    """A record that may be retried for longer than the stream keeps it would be lost unseen."""
    if not LEAST_HORIZON_SECONDS <= config.horizon_seconds <= DAY_SECONDS:
        raise Misconfigured(
            f"GRANDSTAND_HORIZON_SECONDS={config.horizon_seconds}: the stream keeps records for a day, an hour of it "
            f"for putting away what fails. Give at least {LEAST_HORIZON_SECONDS} and at most {DAY_SECONDS}."
        )


def _yes(name: str, value: Any) -> bool:
    if value in (None, "", True, "true"):
        return True
    if value in (False, "false"):
        return False
    raise Misconfigured(f"{name}={value!r}: true or false")
