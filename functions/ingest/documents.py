"""What the OpenAPI document says of ingest's endpoints; models are imported when the document is made."""

from functions.http.endpoint import Doc


def events() -> Doc:
    """`POST /v1/events`."""
    from functions.ingest import models

    return Doc(
        headers={
            "Idempotency-Key": "The body's batch_id, where it does not say one; the same in every retry.",
            "Content-Encoding": "gzip or zstd.",
            "ce-specversion": "1.0 where the body is the data of one CloudEvent (binary mode); then ce-id, ce-source "
            "and ce-type are needed too.",
        },
        request={
            "application/json": models.EVENTS,
            "application/x-ndjson": models.TEXT,
            "text/plain": models.TEXT,
            "application/cloudevents+json": models.OBJECT,
            "application/cloudevents-batch+json": models.OBJECTS,
        },
        answers={202: models.Accepted},
        problems=(400, 413, 415, 422, 429, 503),
        tag="Events",
    )


def cmcd() -> Doc:
    """`/v1/cmcd`."""
    from functions.ingest import models

    return Doc(
        query=models.CmcdQuery,
        headers=dict.fromkeys(models.CMCD_HEADERS, "CMCD key=value pairs."),
        request={"application/cmcd": models.TEXT, "application/json": models.ANY},
        answers={204: None},
        problems=(400, 413, 415, 422, 429, 503),
        tag="CMCD",
        body_required=False,
    )


def segment() -> Doc:
    """Segment's calls."""
    from functions.ingest import models

    return Doc(
        headers={"Content-Encoding": "gzip or zstd."},
        request={"application/json": models.OBJECT},
        answers={200: models.Success},
        problems=(400, 413, 415, 429, 503),
        tag="Segment",
    )
