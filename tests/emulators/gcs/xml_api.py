"""The XML API: `/bucket/name`, as Libcloud and delta-rs call it."""

import re
from collections.abc import Callable
from typing import Final
from urllib.parse import quote_plus, unquote
from xml.sax.saxutils import escape

from tests.emulators.gcs.http import Answer, Request, blob_headers, media
from tests.emulators.gcs.store import Buckets, Failure, iso_date

NAMESPACE: Final = "http://doc.s3.amazonaws.com/2006-03-01"
PART_NUMBER: Final = re.compile(rb"<PartNumber>(\d+)</PartNumber>")
HEAD: Final = "<?xml version='1.0' encoding='UTF-8'?>"


def answer_xml(buckets: Buckets, request: Request) -> Answer:
    bucket, name = request.segments(2)
    if not name:
        return _BUCKET.get(request.method, _refuse)(buckets, request, bucket, "")
    if "uploadId" in request.query or "uploads" in request.query:
        return _PARTS.get(request.method, _refuse)(buckets, request, bucket, name)
    return _OBJECT.get(request.method, _refuse)(buckets, request, bucket, name)


def error_xml(failure: Failure) -> Answer:
    body = f"{HEAD}<Error><Code>{failure.code}</Code><Message>{escape(failure.message)}</Message></Error>"
    return Answer(failure.status, body.encode(), {"Content-Type": "application/xml; charset=UTF-8"})


def _list(buckets: Buckets, request: Request, bucket: str, _: str) -> Answer:
    query = request.query
    second = query.get("list-type") == "2"
    after = query.get("continuation-token") or query.get("start-after", "") if second else query.get("marker", "")
    limit = min(int(query.get("max-keys", "1000")), 1_000)
    written: Callable[[str], str] = quote_plus if query.get("encoding-type") == "url" else escape
    page = buckets.page(bucket, query.get("prefix", ""), after, query.get("delimiter", ""), limit)
    contents = "".join(
        f"<Contents><Key>{written(blob.name)}</Key><Generation>{blob.generation}</Generation>"
        f"<MetaGeneration>1</MetaGeneration><LastModified>{iso_date(blob.written_at)}</LastModified>"
        f'<ETag>"{blob.md5.hex()}"</ETag><Size>{len(blob.data)}</Size></Contents>'
        for blob in page.blobs
    )
    prefixes = "".join(f"<CommonPrefixes><Prefix>{written(each)}</Prefix></CommonPrefixes>" for each in page.prefixes)
    mark = "NextContinuationToken" if second else "NextMarker"
    more = f"<{mark}>{escape(page.next)}</{mark}>" if page.next is not None else ""
    body = (
        f"{HEAD}<ListBucketResult xmlns='{NAMESPACE}'><Name>{escape(bucket)}</Name>"
        f"<Prefix>{escape(query.get('prefix', ''))}</Prefix><IsTruncated>{str(bool(more)).lower()}</IsTruncated>"
        f"{more}{contents}{prefixes}</ListBucketResult>"
    )
    return Answer(200, body.encode(), {"Content-Type": "application/xml; charset=UTF-8"})


def _make_bucket(buckets: Buckets, request: Request, bucket: str, _: str) -> Answer:
    buckets.make(bucket)
    return Answer(200)


def _head_bucket(buckets: Buckets, request: Request, bucket: str, _: str) -> Answer:
    buckets.page(bucket, limit=1)
    return Answer(200)


def _get(buckets: Buckets, request: Request, bucket: str, name: str) -> Answer:
    return media(buckets.get(bucket, name), request)


def _put(buckets: Buckets, request: Request, bucket: str, name: str) -> Answer:
    precondition = _precondition(request)
    source = request.headers.get("x-goog-copy-source")
    if source is None:
        blob = buckets.put(bucket, name, request.body, request.content_type, precondition)
        return Answer(200, b"", blob_headers(blob))
    from_bucket, _, from_name = unquote(source).lstrip("/").partition("/")
    copied = buckets.get(from_bucket, from_name)
    blob = buckets.put(bucket, name, copied.data, copied.content_type, precondition)
    body = f'{HEAD}<CopyObjectResult><ETag>"{blob.md5.hex()}"</ETag></CopyObjectResult>'
    return Answer(200, body.encode(), blob_headers(blob))


def _delete(buckets: Buckets, request: Request, bucket: str, name: str) -> Answer:
    buckets.delete(bucket, name, _precondition(request))
    return Answer(204)


def _begin_or_finish(buckets: Buckets, request: Request, bucket: str, name: str) -> Answer:
    if "uploads" in request.query:
        id_ = buckets.begin(name, request.content_type, _precondition(request))
        inner = f"<Bucket>{escape(bucket)}</Bucket><Key>{escape(name)}</Key><UploadId>{id_}</UploadId>"
        body = f"{HEAD}<InitiateMultipartUploadResult>{inner}</InitiateMultipartUploadResult>"
        return Answer(200, body.encode())
    numbers = [int(number) for number in PART_NUMBER.findall(request.body)]
    blob = buckets.finish(bucket, request.query["uploadId"], numbers)
    inner = f'<Bucket>{escape(bucket)}</Bucket><Key>{escape(name)}</Key><ETag>"{blob.md5.hex()}"</ETag>'
    body = f"{HEAD}<CompleteMultipartUploadResult>{inner}</CompleteMultipartUploadResult>"
    return Answer(200, body.encode(), blob_headers(blob))


def _part(buckets: Buckets, request: Request, bucket: str, name: str) -> Answer:
    number = int(request.query["partNumber"])
    buckets.upload(request.query["uploadId"]).parts[number] = request.body
    return Answer(200, b"", {"ETag": f'"{number}"'})


def _abort(buckets: Buckets, request: Request, bucket: str, name: str) -> Answer:
    buckets.uploads.pop(request.query["uploadId"], None)
    return Answer(204)


def _refuse(buckets: Buckets, request: Request, bucket: str, name: str) -> Answer:
    raise Failure(405, "MethodNotAllowed", "The stand-in does not know this request.")


def _precondition(request: Request) -> int | None:
    value = request.headers.get("x-goog-if-generation-match")
    return None if value is None else int(value)


_Work = Callable[[Buckets, Request, str, str], Answer]
_BUCKET: Final[dict[str, _Work]] = {"GET": _list, "PUT": _make_bucket, "HEAD": _head_bucket}
_OBJECT: Final[dict[str, _Work]] = {"GET": _get, "HEAD": _get, "PUT": _put, "DELETE": _delete}
_PARTS: Final[dict[str, _Work]] = {"POST": _begin_or_finish, "PUT": _part, "DELETE": _abort}
