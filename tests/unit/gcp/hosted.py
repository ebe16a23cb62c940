"""Small functions of each trigger, hosted on ports in memory."""

from collections.abc import Callable, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from adapters.common.hosting import Hosted
from adapters.gcp.triggers import Triggers
from functions.http.endpoint import Endpoint, Scope
from functions.manifest import Every, Function, Http, OnQueue, OnStream
from lab.memory import MemorySuite
from shared.dead_letters import DeadLetters
from shared.ports import Ports
from shared.settings import Settings
from shared.stream import DONE, Answer, Deadline, Message, Record
from tests.emulators.pubsub.broker import Broker
from tests.unit.gcp.stage import PatientSubscription

HERE = "tests.unit.gcp.hosted"


class Script:
    """What the functions answer, and what they were asked."""

    def __init__(self) -> None:
        self.answer: Callable[[Any], Answer | None] = lambda _: DONE
        self.records: list[Record] = []
        self.messages: list[Message] = []
        self.runs: list[int] = []


script = Script()


def consume(ports: Ports, settings: Settings) -> Any:
    def handle(records: Sequence[Record], deadline: Deadline) -> Sequence[Answer | None]:
        script.records += records
        return [script.answer(record) for record in records]

    return handle


def work(ports: Ports, settings: Settings) -> Any:
    def handle(message: Message, deadline: Deadline) -> Answer | None:
        script.messages.append(message)
        return script.answer(message)

    return handle


def tick(ports: Ports, settings: Settings) -> Any:
    def run(deadline: Deadline) -> bool:
        script.runs.append(deadline.remaining_ms())
        script.answer(None)
        return False

    return run


def serve(ports: Ports, settings: Settings) -> Any:
    async def echo(request: Request) -> Response:
        body = await request.body()
        return JSONResponse(
            {
                "id": request.path_params["id"],
                "query": dict(request.query_params),
                "body": body.hex(),
                "header": request.headers.get("x-asked"),
            },
            headers={"x-told": "yes"},
        )

    async def raw(request: Request) -> Response:
        return Response(bytes(range(256)), media_type="application/octet-stream")

    return [
        Endpoint(("GET", "POST"), "/v1/echo/{id}", echo, Scope.OPEN, "What was asked"),
        Endpoint(("GET",), "/v1/bytes", raw, Scope.OPEN, "Every byte"),
    ]


CONSUME = Function("counter", f"{HERE}:consume", OnStream("events", 10, 0), timeout_seconds=60)
WORK = Function("worker", f"{HERE}:work", OnQueue("rebuild", max_attempts=5))
TICK = Function("ticker", f"{HERE}:tick", Every(60))
SERVE = Function("server", f"{HERE}:serve", Http())


class Host:
    """One function behind its triggers."""

    def __init__(self, function: Function, suite: MemorySuite, broker: Broker | None = None) -> None:
        self.suite = suite
        self.letters = DeadLetters(suite.ports, Settings())
        self.hosted = Hosted(function, suite.ports, Settings(), sleep=lambda _: None)
        broker = broker or Broker()
        self.triggers = Triggers(
            self.hosted,
            suite.clock,
            Settings(),
            lambda *_: PatientSubscription(broker, suite.clock),
        )
