"""What Google's services answer when they do not do as asked, as our own errors: translated here alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from shared.errors import GrandstandError, Misconfigured, Throttled, Unavailable

_ROLES: Final = {
    "the topic": "roles/pubsub.publisher",
    "the subscription": "roles/pubsub.subscriber",
    "the table": "roles/datastore.user",
    "the bucket": "roles/storage.objectUser",
    "the queue": "roles/cloudtasks.enqueuer, and roles/iam.serviceAccountUser on GRANDSTAND_INVOKER",
    "the secret": "roles/secretmanager.secretAccessor",
}
_THROTTLED: Final = frozenset({"RESOURCE_EXHAUSTED", "ABORTED", "429"})
_UNAVAILABLE: Final = frozenset({"UNAVAILABLE", "DEADLINE_EXCEEDED", "INTERNAL", "UNKNOWN", "CANCELLED", "408"})
_MISSING: Final = frozenset({"NOT_FOUND", "404"})
_DENIED: Final = frozenset({"PERMISSION_DENIED", "403"})
_UNKNOWN: Final = frozenset({"UNAUTHENTICATED", "401"})
_SIGN_IN: Final = "gcloud auth application-default login"
_NO_TOKEN: Final = "Getting metadata from plugin failed"  # noqa: S105 - gRPC's words where there is no token
_EXPIRED: Final = ("invalid_grant", "Reauthentication", "expired or revoked")


def refused(code: str, message: str, resource: str) -> GrandstandError:
    """An error answer. `code` is gRPC's or HTTP's, `resource` what was asked for: "the table grandstand-audience"."""
    if _NO_TOKEN in message:
        return _unsigned(message, resource)
    if code in _THROTTLED:
        return Throttled(f"{resource} asks us to slow down ({code}: {message}). Wait, or raise its quota.")
    if code in _UNAVAILABLE or (code.isdecimal() and int(code) >= 500):
        return Unavailable(f"{resource} cannot answer now ({code}: {message}). Try again.")
    return Misconfigured(_refusal(code, message, resource))


def _refusal(code: str, message: str, resource: str) -> str:
    if code in _MISSING:
        return (
            f"There is no such thing as {resource} ({message}). Deploy it, or correct GOOGLE_CLOUD_PROJECT, "
            "GRANDSTAND_REGION and GRANDSTAND_NAME."
        )
    if code in _DENIED:
        return f"{resource}: {message} ({code}). Grant the function's service account {role(resource)}."
    if code in _UNKNOWN:
        return f"{resource}: Google does not know the credential ({message}). Sign in anew: {_SIGN_IN}"
    return f"{resource} refuses what it is asked: {code}: {message}"


def role(resource: str) -> str:
    """The least role that lets a function use a resource."""
    return next((role for kind, role in _ROLES.items() if resource.startswith(kind)), "the role that it lacks")


@contextmanager
def about(resource: str) -> Iterator[None]:
    """Translates what Google's clients raise about a resource. Raises Throttled, Unavailable or Misconfigured."""
    try:
        yield
    except GrandstandError:
        raise
    except Exception as error:
        translated = _translated(error, resource)
        if translated is None:
            raise
        raise translated from error


def _translated(error: Exception, resource: str) -> GrandstandError | None:
    import grpc
    from google.api_core import exceptions as api
    from google.auth import exceptions as auth

    if isinstance(error, api.RetryError) and isinstance(error.cause, Exception):
        return _translated(error.cause, resource)
    if isinstance(error, api.GoogleAPICallError):
        code = error.grpc_status_code.name if error.grpc_status_code else str(int(error.code or 0))
        return refused(code, str(error.message), resource)
    if isinstance(error, grpc.RpcError):
        answer: Any = error
        return refused(answer.code().name, str(answer.details()), resource)
    if isinstance(error, auth.GoogleAuthError):
        return _not_signed_in(error, resource)
    return None


def _not_signed_in(error: Exception, resource: str) -> GrandstandError:
    from google.auth import exceptions as auth

    if isinstance(error, auth.DefaultCredentialsError):
        return Misconfigured(
            f"{resource}: no Google credential was found ({error}). Give the function a service account, or sign in: "
            f"{_SIGN_IN}"
        )
    if isinstance(error, auth.TransportError) or getattr(error, "retryable", False):
        return Unavailable(f"{resource}: the credential cannot be renewed now ({error}). Try again.")
    return _unsigned(str(error), resource)


def _unsigned(message: str, resource: str) -> GrandstandError:
    if any(word in message for word in _EXPIRED):
        return Misconfigured(f"{resource}: the Google credential has expired ({message}). Sign in anew: {_SIGN_IN}")
    return Unavailable(f"{resource}: there is no token now ({message}). Try again.")
