"""Events and contexts as Lambda hands them to a function, for what is not read from a stream or a queue."""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from shared.ports import Clock


@dataclass(frozen=True)
class Context:
    """What a function may ask of its invocation; its time passes by the test's clock."""

    clock: Clock
    end_ms: int
    function_name: str = "grandstand-test"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:eu-west-1:123456789012:function:grandstand-test"
    aws_request_id: str = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"

    def get_remaining_time_in_millis(self) -> int:
        return self.end_ms - self.clock.now_ms()


def context(clock: Clock, seconds: int = 60) -> Context:
    """An invocation that may take so long."""
    return Context(clock, clock.now_ms() + 1_000 * seconds)


def http_event(method: str, target: str, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """API Gateway's payload 2.0 for a request whose path was sent as `target` has it."""
    path, _, query = target.partition("?")
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {"host": "id.execute-api.eu-west-1.amazonaws.com", "x-forwarded-proto": "https"}
        | {name.lower(): value for name, value in headers.items()},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "id",
            "domainName": "id.execute-api.eu-west-1.amazonaws.com",
            "domainPrefix": "id",
            "http": {
                "method": method,
                "path": unquote(path),
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "player",
            },
            "requestId": "id",
            "routeKey": "$default",
            "stage": "$default",
            "time": "20/Nov/2026:19:03:58 +0000",
            "timeEpoch": 1_795_200_000_000,
        },
        "isBase64Encoded": False,
    }
    if body:
        event["headers"] |= {"content-length": str(len(body))}
        event |= {"body": b64encode(body).decode(), "isBase64Encoded": True}
    return event


def http_answer(answer: Mapping[str, Any]) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of what a function answered."""
    body = str(answer.get("body", ""))
    raw = b64decode(body) if answer.get("isBase64Encoded") else body.encode()
    return int(answer["statusCode"]), dict(answer.get("headers") or {}), raw


def schedule_event(source: str = "aws.scheduler") -> dict[str, Any]:
    """What EventBridge Scheduler, or a rule of EventBridge's (`aws.events`), starts a function with."""
    return {
        "version": "0",
        "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
        "detail-type": "Scheduled Event",
        "source": source,
        "account": "123456789012",
        "time": "2026-11-20T19:00:00Z",
        "region": "eu-west-1",
        "resources": ["arn:aws:scheduler:eu-west-1:123456789012:schedule/grandstand/grandstand-roll"],
        "detail": "{}",
    }
