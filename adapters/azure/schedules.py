"""When timers start, as the Functions host reads it (NCRONTAB: seconds first), and how long they may take."""

from typing import Final

from adapters.common.hosting import SCHEDULER_SECONDS
from functions.manifest import Every, Function

EACH_MINUTE: Final = "0 * * * * *"
EACH_HOUR: Final = "0 17 * * * *"
"""Not at its very beginning, when everybody's timers start."""
_MINUTE: Final = 60
_HOUR: Final = 3_600


def cron(seconds: int) -> str:
    """Every so often: each minute, whole minutes or whole hours. What is due more often repeats inside its minute."""
    if seconds <= _MINUTE:
        return EACH_MINUTE
    minutes, hours = seconds // _MINUTE, seconds // _HOUR
    if seconds % _MINUTE == 0 and minutes < 60 and 60 % minutes == 0:
        return f"0 */{minutes} * * * *"
    if seconds % _HOUR == 0 and hours <= 24 and 24 % hours == 0:
        return f"0 0 */{hours} * * *" if hours < 24 else "0 0 0 * * *"
    raise ValueError(
        f"a timer cannot start every {seconds} s; take whole minutes or hours that divide an hour or a day"
    )


def invocation_seconds(function: Function) -> int:
    """How long one invocation may take: a schedule that repeats inside its minute has that minute as well."""
    repeats = isinstance(function.trigger, Every) and function.trigger.seconds < SCHEDULER_SECONDS
    return function.timeout_seconds + (SCHEDULER_SECONDS if repeats else 0)
