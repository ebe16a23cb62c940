import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from adapters.gcp.push import pushed
from shared.errors import InvalidInput

VECTORS = Path(__file__).parents[4] / "shared" / "vectors" / "gcp"


def message(**fields: Any) -> dict[str, Any]:
    return {"data": b64encode(b"goal").decode(), "messageId": "7"} | fields


def test_a_push_tells_its_data_its_id_and_its_attempt() -> None:
    body = {"message": message(), "subscription": "projects/p/subscriptions/s", "deliveryAttempt": 3}

    push = pushed(json.dumps(body).encode())

    assert (push.received.data, push.received.message_id, push.received.attempt) == (b"goal", "7", 3)
    assert push.given_up_after is None


def test_a_dead_letter_topics_push_tells_how_often_it_was_tried() -> None:
    told = message(attributes={"CloudPubSubDeadLetterSourceDeliveryCount": "100"})

    assert pushed(json.dumps({"message": told}).encode()).given_up_after == 100


def test_a_message_of_attributes_alone_has_no_data() -> None:
    assert pushed(b'{"message": {"attributes": {"a": "b"}, "messageId": "7"}}').received.data == b""


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"7",
        b"null",
        b"{}",
        b'{"message": null}',
        b'{"message": "goal"}',
        b'{"message": {"data": "not base64!"}}',
        b'{"message": {"data": 7}}',
        b'{"data": {"data": "Z29hbA=="}}',
        b'{"data": [], "context": {}}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_push_is_told_so(body: bytes) -> None:
    with pytest.raises(InvalidInput, match=r"no push|not base64"):
        pushed(body)


@pytest.mark.parametrize("attempt", [None, 0, -1, "3", 2.5])
def test_an_attempt_that_is_no_number_from_one_is_unknown(attempt: object) -> None:
    body = {"message": message(), "deliveryAttempt": attempt}

    assert pushed(json.dumps(body).encode()).received.attempt is None


@pytest.mark.skipif(not VECTORS.is_dir(), reason="Google's sample events do not lie beside the checkout")
@pytest.mark.parametrize(
    ("sample", "data", "message_id"),
    [
        ("legacy_pubsub-cloudevent-output", b"This is a sample message", "aaaaaa-1111-bbbb-2222-cccccccccccc"),
        ("pubsub_binary-cloudevent-input", b"\x01\x02\x03\x04", "aaaaaa-1111-bbbb-2222-cccccccccccc"),
        ("pubsub_binary-cloudevent-output", b"\x01\x02\x03\x04", "aaaaaa-1111-bbbb-2222-cccccccccccc"),
        ("pubsub_binary-legacy-input", b"\x01\x02\x03\x04", "aaaaaa-1111-bbbb-2222-cccccccccccc"),
        ("pubsub_text-cloudevent-output", b"test message 3", "aaaaaa-1111-bbbb-2222-cccccccccccc"),
        ("pubsub_text-legacy-input", b"test message 3", "aaaaaa-1111-bbbb-2222-cccccccccccc"),
    ],
)
def test_every_form_of_googles_own_samples_is_read(sample: str, data: bytes, message_id: str) -> None:
    push = pushed((VECTORS / f"{sample}.json").read_bytes())

    assert (push.received.data, push.received.message_id) == (data, message_id)
