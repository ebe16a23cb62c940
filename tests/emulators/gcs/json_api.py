"""The JSON API (`/storage/v1`, `/upload/storage/v1`), as Arrow's file system and Google's own client call it."""

import json
import re
from base64 import b64encode
from email import message_from_bytes
from typing import Any, Final
from urllib.parse import unquote

from tests.emulators.gcs.http import Answer, Request, media
from tests.emulators.gcs.store import Blob, Buckets, Failure, iso_date

PATH: Final = re.compile(r"/(upload/|download/)?storage/v1/b(?:/([^/]+)(?:/o(?:/(.+))?)?)?(/?)")
CONTENT_RANGE: Final = re.compile(r"bytes (?:\*|(\d+)-(\d+))/(\*|\d+)")


def is_json(request: Request) -> bool:
    return PATH.fullmatch(request.path) is not None


def answer_json(buckets: Buckets, request: Request) -> Answer:
    found = PATH.fullmatch(request.path)
    assert found is not None
    kind, bucket, name = found[1], unquote(found[2] or ""), unquote(found[3] or "")
    if kind == "upload/":
        return _upload(buckets, request, bucket)
    if not bucket or "/o" not in request.path.removeprefix(f"/storage/v1/b/{found[2]}"):
        return _bucket(buckets, request, bucket)
    if not name:
        return _list(buckets, request, bucket)
    return _object(buckets, request, bucket, name)


def error_json(failure: Failure) -> Answer:
    error = {"code": failure.status, "message": failure.message}
    listed = [{"message": failure.message, "domain": "global", "reason": failure.code}]
    return _json({"error": {**error, "errors": listed}}, failure.status)


def _bucket(buckets: Buckets, request: Request, bucket: str) -> Answer:
    if request.method == "POST":
        bucket = json.loads(request.body)["name"]
        buckets.make(bucket)
    else:
        buckets.page(bucket, limit=1)
    return _json({"kind": "storage#bucket", "id": bucket, "name": bucket, "location": "EU", "metageneration": "1"})


def _list(buckets: Buckets, request: Request, bucket: str) -> Answer:
    query = request.query
    limit = int(query.get("maxResults", "1000"))
    page = buckets.page(
        bucket, query.get("prefix", ""), query.get("pageToken", ""), query.get("delimiter", ""), limit
    )
    answer: dict[str, Any] = {"kind": "storage#objects", "items": [_resource(bucket, blob) for blob in page.blobs]}
    if page.prefixes:
        answer["prefixes"] = page.prefixes
    if page.next is not None:
        answer["nextPageToken"] = page.next
    return _json(answer)


def _object(buckets: Buckets, request: Request, bucket: str, name: str) -> Answer:
    if request.method == "DELETE":
        buckets.delete(bucket, name, _precondition(request))
        return Answer(204)
    blob = buckets.get(bucket, name)
    return media(blob, request) if request.query.get("alt") == "media" else _json(_resource(bucket, blob))


def _upload(buckets: Buckets, request: Request, bucket: str) -> Answer:
    if "upload_id" in request.query:
        return _resume(buckets, request, bucket)
    name = request.query.get("name", "")
    match request.query.get("uploadType"):
        case "resumable":
            told = json.loads(request.body) if request.body else {}
            content_type = told.get("contentType") or request.headers.get("x-upload-content-type", "")
            id_ = buckets.begin(told.get("name") or name, content_type, _precondition(request))
            here = f"http://{request.headers['host']}{request.path}?uploadType=resumable&upload_id={id_}"
            return Answer(200, b"", {"Location": here, "X-GUploader-UploadID": id_})
        case "multipart":
            told, content_type, data = _related(request)
            blob = buckets.put(bucket, told.get("name") or name, data, content_type, _precondition(request))
        case _:
            blob = buckets.put(bucket, name, request.body, request.content_type, _precondition(request))
    return _json(_resource(bucket, blob))


def _resume(buckets: Buckets, request: Request, bucket: str) -> Answer:
    id_ = request.query["upload_id"]
    if request.method == "DELETE":
        buckets.uploads.pop(id_, None)
        return Answer(499)
    parts = buckets.upload(id_).parts
    where = CONTENT_RANGE.fullmatch(request.headers.get("content-range", "bytes 0-0/*"))
    if where is None:
        raise Failure(400, "InvalidArgument", "Content-Range cannot be read.")
    if request.body:
        parts[int(where[1] or 0)] = request.body
    size = sum(map(len, parts.values()))
    if where[3] == "*" or int(where[3]) > size:
        return Answer(308, b"", {"Range": f"bytes=0-{size - 1}"} if size else {})
    return _json(_resource(bucket, buckets.finish(bucket, id_)))


def _related(request: Request) -> tuple[dict[str, Any], str, bytes]:
    """The metadata, content type and bytes of a multipart/related body."""
    head = message_from_bytes(b"Content-Type: " + request.content_type.encode() + b"\r\n\r\n")
    boundary = b"--" + str(head.get_boundary("")).encode()
    _, first, second, _ = request.body.split(boundary)
    told = first.split(b"\r\n\r\n", 1)[1]
    kind, data = second.lstrip(b"\r\n").split(b"\r\n\r\n", 1)
    return json.loads(told), message_from_bytes(kind).get_content_type(), data.removesuffix(b"\r\n")


def _resource(bucket: str, blob: Blob) -> dict[str, Any]:
    when = iso_date(blob.written_at)
    return {
        "kind": "storage#object",
        "id": f"{bucket}/{blob.name}/{blob.generation}",
        "name": blob.name,
        "bucket": bucket,
        "generation": str(blob.generation),
        "metageneration": "1",
        "contentType": blob.content_type,
        "size": str(len(blob.data)),
        "md5Hash": b64encode(blob.md5).decode(),
        "etag": f"{blob.generation}",
        "timeCreated": when,
        "updated": when,
    }


def _precondition(request: Request) -> int | None:
    value = request.query.get("ifGenerationMatch")
    return None if value is None else int(value)


def _json(value: dict[str, Any], status: int = 200) -> Answer:
    return Answer(status, json.dumps(value).encode(), {"Content-Type": "application/json; charset=UTF-8"})
