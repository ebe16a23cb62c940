"""Asks the suite's HTTP API."""

from typing import Any
from urllib.parse import quote

from adapters.cli.terminal import MISUSED, UNREACHABLE, Failed

_TIMEOUT_SECONDS = 30.0
_UNAUTHORISED = (401, 403)
_NOT_FOUND = 404


class Api:
    """One suite. Every method ends the command with a helpful message where the suite cannot be asked or refuses."""

    def __init__(self, url: str, key: str | None = None) -> None:
        self._url = url.rstrip("/")
        self._headers = {"authorization": f"Bearer {key}"} if key else {}

    def get(self, path: str, **query: object) -> dict[str, Any]:
        """The answer to a GET; parameters that are None are left out."""
        return self._ask("GET", path, params={name: str(value) for name, value in query.items() if value is not None})

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """The answer to a POST of JSON."""
        return self._ask("POST", path, json=body)

    def check(self) -> None:
        """Ends the command unless the suite is there and ready."""
        self._ask("GET", "/healthz")

    def _ask(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        import httpx

        try:
            with httpx.Client(timeout=_TIMEOUT_SECONDS, trust_env=False) as client:
                answer = client.request(method, self._url + path, headers=self._headers, **request)
        except (httpx.UnsupportedProtocol, httpx.InvalidURL):
            raise Failed(f"{self._url!r} is no address; give one such as http://127.0.0.1:8080.", MISUSED) from None
        except httpx.TransportError as error:
            raise Failed(unreachable(self._url, str(error)), UNREACHABLE) from None
        told = _json(answer.content)
        if answer.is_success:
            return told
        detail = told.get("detail") or answer.text[:200] or answer.reason_phrase
        if answer.status_code in _UNAUTHORISED:
            raise Failed(f"{detail} Give the key with --key or GRANDSTAND_KEY.")
        if answer.status_code == _NOT_FOUND and "detail" not in told:
            raise Failed(f"{self._url} answers, but knows no {path}: is it Grandstand?")
        raise Failed(f"{method} {path} was answered {answer.status_code}: {detail}")


def content_path(content_id: str, *rest: str) -> str:
    """`/v1/contents/{id}/...`, whatever characters the id is made of."""
    return "/".join(("/v1/contents", quote(content_id, safe=""), *rest))


def unreachable(url: str, reason: str) -> str:
    """What to say when nobody answers."""
    return f"nothing answers at {url} ({reason}). Start the suite with: grandstand serve"


def _json(content: bytes) -> dict[str, Any]:
    import orjson

    try:
        told = orjson.loads(content)
    except orjson.JSONDecodeError:
        return {}
    return told if isinstance(told, dict) else {}
