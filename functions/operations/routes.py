"""What operators ask about the suite itself: is all accounted for, what could not be handled, try that again."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from functions.http.answer import json_answer, read_body, read_query, rfc3339
from functions.http.endpoint import Doc, Endpoint, Scope
from functions.operations import health
from shared.audience.completeness import TotalsReader, completeness
from shared.audience.rollup import MINUTE
from shared.audience.stored import StateReader
from shared.dead_letters import DeadLetter, DeadLetters
from shared.errors import InvalidInput
from shared.ports import Ports
from shared.rebuilding import REBUILD_ORDER, REBUILD_QUEUE
from shared.settings import Settings
from shared.stream import EVENT_STREAM
from shared.units import DAY_MS


def make(ports: Ports, settings: Settings) -> list[Endpoint]:
    """The endpoints of one suite."""
    api = OperationsApi(ports, settings)
    return [
        Endpoint(
            ("GET",),
            "/v1/completeness",
            api.completeness,
            Scope.OPERATOR,
            "What became of every event that was received",
            _completeness_doc,
        ),
        Endpoint(
            ("GET",),
            "/v1/dead-letters",
            api.dead_letters,
            Scope.OPERATOR,
            "Records that could not be handled, and why",
            _letters_doc,
        ),
        Endpoint(
            ("POST",),
            "/v1/dead-letters/replay",
            api.replay,
            Scope.OPERATOR,
            "Hand dead letters over again; each still counts once",
            _replay_doc,
        ),
        Endpoint(
            ("POST",),
            "/v1/rebuild",
            api.rebuild,
            Scope.OPERATOR,
            "Count what came after the horizon, where the history says that it was not counted",
            _rebuild_doc,
        ),
        health.endpoint(ports),
    ]


class OperationsApi:
    """Handlers; each works in a thread."""

    def __init__(self, ports: Ports, settings: Settings) -> None:
        self._clock = ports.clock
        self._totals = TotalsReader(ports, StateReader(ports))
        self._letters = DeadLetters(ports, settings)
        self._orders = ports.queue(REBUILD_QUEUE)
        self._states_kept_ms = settings.state_days * DAY_MS
        self._totals_kept_ms = settings.history_days * DAY_MS
        self._ahead_ms = settings.max_ahead_seconds * 1_000

    async def completeness(self, request: Request) -> Response:
        """Every class over the whole minutes of [from, to), as far as totals are kept and events accepted."""
        from functions.operations.models import CompletenessQuery

        query = read_query(request, CompletenessQuery)
        now = self._clock.now_ms()
        newest = now + self._ahead_ms + MINUTE.ms
        to = newest if query.to is None else query.to
        since = now - self._states_kept_ms if query.since is None else query.since
        if since >= to:
            raise InvalidInput("`from` must be before `to`.", reason="query")
        oldest = max(0, now - self._totals_kept_ms)
        first, last = MINUTE.number(max(since, oldest)), MINUTE.number(min(to, newest) - 1)
        return json_answer(await run_in_threadpool(self._completeness, first, max(first - 1, last)))

    async def dead_letters(self, request: Request) -> Response:
        """A page of the letters."""
        from functions.operations.models import LettersQuery

        query = read_query(request, LettersQuery)
        page = await run_in_threadpool(self._letters.list, query.limit, query.cursor)
        return json_answer({"letters": [_told(letter) for letter in page.letters], "next": page.next})

    async def replay(self, request: Request) -> Response:
        """The named letters, or all."""
        from functions.operations.models import Replay

        asked = await read_body(request, Replay, '{"record_ids": ["…"]}, or {} for all', empty=b"{}")
        return json_answer(await run_in_threadpool(self._replay, asked.record_ids))

    async def rebuild(self, _: Request) -> Response:
        """Begun soon, and done by another function: the dead letters beyond the horizon go as they are settled."""
        await run_in_threadpool(self._orders.send, REBUILD_ORDER)
        return json_answer({"queued": True}, status=202)

    def _completeness(self, first: int, last: int) -> dict[str, object]:
        return {
            "from": rfc3339(first * MINUTE.ms),
            "to": rfc3339((last + 1) * MINUTE.ms),
            **completeness(self._totals.by_content(first, last)),
            "dead_letters": self._letters.count(),
        }

    def _replay(self, record_ids: list[str] | None) -> dict[str, object]:
        if record_ids is None:
            record_ids = [letter.record_id for letter in self._letters.all()]
        asked = list(dict.fromkeys(record_id.lower() for record_id in record_ids))
        done = self._letters.replay(EVENT_STREAM, asked)
        refused = [{"record_id": one.record_id, "reason": one.refused} for one in done if one.refused is not None]
        return {"replayed": len(done) - len(refused), "refused": refused}


def _told(letter: DeadLetter) -> dict[str, object]:
    return {
        "record_id": letter.record_id,
        "key": letter.key,
        "function": letter.function,
        "reason": letter.reason,
        "dead_at": rfc3339(letter.dead_at),
        "first_appended_at": rfc3339(letter.first_appended_at),
        "bytes": letter.bytes,
    }


def _completeness_doc() -> Doc:
    from functions.operations.models import CompletenessAnswer, CompletenessQuery

    return Doc(query=CompletenessQuery, answers={200: CompletenessAnswer})


def _letters_doc() -> Doc:
    from functions.operations.models import LettersAnswer, LettersQuery

    return Doc(query=LettersQuery, answers={200: LettersAnswer})


def _rebuild_doc() -> Doc:
    from functions.operations.models import RebuildAnswer

    return Doc(answers={202: RebuildAnswer})


def _replay_doc() -> Doc:
    from functions.operations.models import Replay, ReplayAnswer

    return Doc(request={"application/json": Replay}, answers={200: ReplayAnswer}, body_required=False)
