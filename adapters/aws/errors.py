"""What AWS answers when it does not do what it was asked, as our own errors. Translated here and nowhere else."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from shared.errors import GrandstandError, Misconfigured, Throttled, Unavailable

_THROTTLED: Final = frozenset(
    {
        "BandwidthLimitExceeded",
        "KMS.ThrottlingException",
        "KMSThrottlingException",
        "KmsThrottled",
        "LimitExceededException",
        "OverLimit",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "ReplicatedWriteConflictException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
_MISSING: Final = frozenset(
    {
        "AWS.SimpleQueueService.NonExistentQueue",
        "NoSuchBucket",
        "NotFoundException",
        "QueueDoesNotExist",
        "ResourceNotFoundException",
    }
)
_EXPIRED: Final = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"})
_UNKNOWN_CREDENTIAL: Final = frozenset(
    {
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSecurity",
        "InvalidSignatureException",
        "InvalidToken",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "NotSignedUp",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_SKEWED: Final = frozenset({"RequestTimeTooSkewed", "RequestInTheFuture"})
_STALE: Final = ("Signature expired", "Signature not yet current")
"""How most services tell it, under the code of a wrong signature."""
_PASSING: Final = frozenset({"InternalError", "InternalFailure", "RequestTimeout", "RequestTimeoutException"})
_DENIED: Final = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AllAccessDisabled",
        "KMS.AccessDeniedException",
        "KMSAccessDeniedException",
        "KmsAccessDenied",
    }
)
_ELSEWHERE: Final = frozenset(
    {"AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "PermanentRedirect", "TemporaryRedirect"}
)


_MEANT: Final[tuple[tuple[frozenset[str], type[GrandstandError], str], ...]] = (
    (_THROTTLED, Throttled, "{resource} asks us to slow down ({code}). Raise its capacity, or wait."),
    (
        _MISSING,
        Misconfigured,
        "There is no such thing in {region} as {resource}. Deploy it, or correct AWS_REGION and GRANDSTAND_NAME.",
    ),
    (_EXPIRED, Misconfigured, "{resource}: the AWS credential has expired ({code}). Renew it and start anew."),
    (_SKEWED, Misconfigured, "{resource}: this machine's clock is wrong ({code}). Set it by NTP."),
    (_UNKNOWN_CREDENTIAL, Misconfigured, "{resource}: AWS does not know the credential ({code}). Correct it."),
    (_DENIED, Misconfigured, "{resource}: the policy does not allow this ({code}: {message}). Extend the role's."),
    (_ELSEWHERE, Misconfigured, "{resource} is in another region than {region} ({message}). Correct AWS_REGION."),
)


def refused(code: str, message: str, status: int, resource: str, region: str) -> GrandstandError:
    """An error answer. `resource` is what was asked for, as in "the table grandstand-audience"."""
    if code in _UNKNOWN_CREDENTIAL and message.startswith(_STALE):
        code = "RequestTimeTooSkewed"
    for codes, kind, text in _MEANT:
        if code in codes:
            return kind(text.format(code=code, message=message, resource=resource, region=region))
    if status == 429:
        return Throttled(f"{resource} asks us to slow down. Raise its capacity, or wait.")
    if status >= 500 or code in _PASSING:
        return Unavailable(f"{resource} cannot answer now ({code or status}). Try again.")
    return Misconfigured(f"{resource} refuses what it is asked: {code or status}: {message}")


@contextmanager
def about(resource: str) -> Iterator[None]:
    """Translates what boto3 raises about a resource. Raises Throttled, Unavailable or Misconfigured."""
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
    from botocore import exceptions as told

    if isinstance(error, told.ClientError):
        answer: dict[str, Any] = dict(error.response)
        said, meta = answer.get("Error", {}), answer.get("ResponseMetadata", {})
        status = int(meta.get("HTTPStatusCode", 0))
        return refused(str(said.get("Code", "")), str(said.get("Message", "")), status, resource, "this region")
    for kind, meant, text in (
        (told.NoRegionError, Misconfigured, "AWS_REGION is not set. Set it, for example AWS_REGION=eu-west-1."),
        (told.NoCredentialsError, Misconfigured, "{resource}: there is no AWS credential. Use a role."),
        (told.PartialCredentialsError, Misconfigured, "{resource}: half an AWS credential is set: {error}."),
        (told.CredentialRetrievalError, Unavailable, "{resource}: the credential cannot be renewed now: {error}."),
        (told.MetadataRetrievalError, Unavailable, "{resource}: the credential cannot be renewed now: {error}."),
        (told.UnauthorizedSSOTokenError, Misconfigured, "{resource}: sign in again: aws sso login"),
        (told.SSOTokenLoadError, Misconfigured, "{resource}: sign in again: aws sso login"),
        (told.HTTPClientError, Unavailable, "{resource} does not answer: {error}. See whether it can be reached."),
        (
            told.ConnectionError,
            Unavailable,
            "{resource} cannot be reached: {error}. See whether the network and AWS_REGION are right.",
        ),
        (told.IncompleteReadError, Unavailable, "{resource} broke off its answer: {error}. Try again."),
        (told.BotoCoreError, Misconfigured, "{resource}: {error}"),
    ):
        if isinstance(error, kind):
            return meant(text.format(resource=resource, error=error))
    return None
