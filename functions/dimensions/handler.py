"""dimensions: keeps `dim_content` and `dim_users` up to what was committed and what viewers agreed to."""

from shared.history.dimensions import update_contents, update_users
from shared.history.lake import Lake
from shared.history.tables import CONTENT, FACTS, USERS
from shared.ports import Ports
from shared.settings import Settings
from shared.stream import Deadline, Run


def make(ports: Ports, _: Settings) -> Run:
    """The scheduled update of both."""

    def run(_: Deadline) -> bool:
        facts, contents, users = (Lake(*ports.history_uri(), name) for name in (FACTS, CONTENT, USERS))
        update_contents(facts, contents)
        update_users(ports.table("viewers"), users)
        return True

    return run
