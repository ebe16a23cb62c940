"""What Azure answers when it does not do what it was asked, as our own errors. Translated here and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from adapters.common.backoff import retry
from shared.errors import GrandstandError, Misconfigured, Throttled, Unavailable

if TYPE_CHECKING:
    from azure.core.exceptions import HttpResponseError

T = TypeVar("T")

ATTEMPTS: Final = 4
"""In all; the SDKs' own retries are off, since not all of them know jitter."""
FIRST_SECONDS: Final = 0.1
_THROTTLED: Final = frozenset({"ServerBusy", "Throttled", "TooManyRequests", "AccountIOPSLimitExceeded"})
_MISSING: Final = frozenset(
    {"ContainerNotFound", "QueueNotFound", "ResourceNotFound", "SecretNotFound", "TableNotFound"}
)
_PASSING: Final = frozenset(
    {"ContainerBeingDeleted", "InternalError", "OperationTimedOut", "QueueBeingDeleted", "TableBeingDeleted"}
)
_UNKNOWN: Final = frozenset({"AuthenticationFailed", "InvalidAuthenticationInfo", "NoAuthenticationInformation"})
_WALLED: Final = frozenset({"AuthorizationFailure", "ForbiddenByConnection", "ForbiddenByFirewall"})


@dataclass(frozen=True, slots=True)
class Resource:
    """What is asked, for messages: "the table grandstandaudience", how it is made, which role its use needs."""

    what: str
    make: str
    role: str


def asked(resource: Resource, call: Callable[[], T]) -> T:
    """What `call` returns, tried again after errors that may pass. Raises as `about` does."""

    def attempt() -> T:
        with about(resource):
            return call()

    return retry(attempt, Unavailable, attempts=ATTEMPTS, first=FIRST_SECONDS)


@contextmanager
def about(resource: Resource) -> Iterator[None]:
    """Translates what the SDKs raise about a resource. Raises Throttled, Unavailable or Misconfigured."""
    from azure.core.exceptions import AzureError

    try:
        yield
    except AzureError as error:
        raise translated(error, resource) from error


def translated(error: Exception, resource: Resource) -> GrandstandError:
    """An SDK's error as ours."""
    from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError

    status = getattr(error, "status_code", None)
    if isinstance(error, ClientAuthenticationError) and status is None:
        return Misconfigured(
            f"{resource.what}: no identity to sign in with was found ({_first_line(error)}). Give the function app a "
            f"managed identity and set AZURE_CLIENT_ID to it, or sign in with `az login`."
        )
    if isinstance(error, HttpResponseError) and status is not None:
        return _refused(error, status, resource)
    if isinstance(error, ResourceNotFoundError):
        return _missing(resource)
    return Unavailable(
        f"{resource.what} does not answer: {_first_line(error)}. Try again; "
        f"see whether its address is right and can be reached."
    )


def code_of(error: HttpResponseError) -> str:
    """The service's own word for it, as in `ServerBusy`."""
    code = getattr(error, "error_code", None)
    if code is None and error.error is not None:
        inner = getattr(error.error, "innererror", None) or {}
        code = inner.get("code") or error.error.code
    if not code and error.response is not None:
        code = getattr(error.response, "headers", {}).get("x-ms-error-code")
    return str(getattr(code, "value", code) or "")


def _refused(error: HttpResponseError, status: int, resource: Resource) -> GrandstandError:
    code = code_of(error)
    if status == 429 or code in _THROTTLED:
        return Throttled(f"{resource.what} asks us to slow down ({code or status}). Spread the load, or wait.")
    if status >= 500 or status == 408 or code in _PASSING:
        return Unavailable(f"{resource.what} cannot answer now ({code or status}). Try again.")
    if status == 404 or code in _MISSING:
        return _missing(resource)
    if status in (401, 403):
        return _denied(code or str(status), resource, known=status == 403 and code not in _UNKNOWN)
    return Misconfigured(f"{resource.what} refuses what it is asked: {code or status}: {_first_line(error)}")


def _denied(code: str, resource: Resource, *, known: bool) -> Misconfigured:
    if not known:
        return Misconfigured(
            f"{resource.what}: Azure does not accept the credential ({code}). Correct it, and see whether this "
            f"machine's clock is right."
        )
    if code == "SecretDisabled":
        return Misconfigured(f"{resource.what} is disabled. Enable it, or make a new version.")
    if code in _WALLED:
        return Misconfigured(
            f"{resource.what} turns us away ({code}). See that the identity has the role {resource.role!r}, that "
            f"a key is right, and that the network lets the function app in."
        )
    return Misconfigured(
        f"{resource.what}: the identity may not do this ({code}). Assign it the role {resource.role!r}."
    )


def _missing(resource: Resource) -> Misconfigured:
    return Misconfigured(
        f"There is no such thing as {resource.what}. Make it: {resource.make}; or correct the names."
    )


def _first_line(error: Exception) -> str:
    lines = str(getattr(error, "message", "") or error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
