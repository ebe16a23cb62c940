"""What is made of Google's answers, where no stand-in gives them."""

from typing import Any

import pytest
from google.api_core import exceptions as api_exceptions
from google.auth import exceptions as auth_exceptions

from adapters.gcp.errors import about
from shared.errors import Misconfigured, Throttled, Unavailable

api: Any = api_exceptions  # untyped
auth: Any = auth_exceptions
PLUGIN = "Getting metadata from plugin failed with error:"


@pytest.mark.parametrize(
    ("raised", "told", "words"),
    [
        (auth.DefaultCredentialsError("none"), Misconfigured, "gcloud auth application-default login"),
        (auth.TransportError("no route"), Unavailable, "renewed"),
        (auth.RefreshError("invalid_grant: Bad Request"), Misconfigured, "expired"),
        (auth.RefreshError("odd"), Unavailable, "no token"),
        (api.ServiceUnavailable(f"{PLUGIN} Reauthentication"), Misconfigured, "expired"),
        (api.ServiceUnavailable(f"{PLUGIN} timeout"), Unavailable, "no token"),
        (api.Unauthenticated("bad token"), Misconfigured, "does not know the credential"),
        (api.RetryError("gave up", api.ResourceExhausted("quota")), Throttled, "quota"),
        (api.TooManyRequests("slow down"), Throttled, "slow down"),
        (api.BadGateway("html"), Unavailable, "502"),
        (api.InvalidArgument("odd"), Misconfigured, "refuses"),
        (api.Forbidden("no"), Misconfigured, "roles/pubsub.publisher"),
    ],
)
def test_an_answer_becomes_an_error_that_says_what_to_do(
    raised: Exception, told: type[Exception], words: str
) -> None:
    with pytest.raises(told, match=words) as error, about("the topic grandstand-events"):
        raise raised
    assert error.value.__cause__ is raised
    assert type(error.value) is told


def test_what_is_not_google_s_passes() -> None:
    with pytest.raises(ZeroDivisionError), about("the topic grandstand-events"):
        raise ZeroDivisionError
