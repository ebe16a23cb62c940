"""The catalogue over HTTP."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from events.event import MAX_ID_BYTES
from functions.http import conditions
from functions.http.answer import json_answer, read_body, rfc3339
from functions.http.endpoint import Doc, Endpoint, Scope
from functions.http.problems import Refused
from shared.contents.catalogue import Catalogue, Entry
from shared.errors import InvalidInput, VersionConflict
from shared.ports import Ports

PATH = "/v1/contents/{id}"


def make(ports: Ports) -> list[Endpoint]:
    """The endpoints of one suite."""
    api = EntriesApi(ports)
    return [
        Endpoint(("GET",), PATH, api.get, Scope.OPERATOR, "What a content is called, and when it is on", _get_doc),
        Endpoint(("PUT",), PATH, api.put, Scope.OPERATOR, "Say what it is called, and when it is on", _put_doc),
        Endpoint(("DELETE",), PATH, api.delete, Scope.OPERATOR, "Forget what was said of it", _delete_doc),
    ]


class EntriesApi:
    """Handlers; each works in a thread."""

    def __init__(self, ports: Ports) -> None:
        self._catalogue = Catalogue(ports)

    async def get(self, request: Request) -> Response:
        """The entry under its version."""
        stored = await run_in_threadpool(self._catalogue.get, request.path_params["id"])
        if stored is None:
            raise Refused(
                "Nothing was said of a content with this id. PUT its title here first.",
                status=404,
                reason="no-such-content",
            )
        if conditions.not_modified(request, stored.version):
            return Response(status_code=304, headers={"ETag": conditions.etag(stored.version)})
        return _answered(stored.entry, stored.version)

    async def put(self, request: Request) -> Response:
        """Replaces the whole entry, if it is as the request expects; 201 where there was none."""
        from functions.contents.models import EntryBody

        body = await read_body(request, EntryBody, '{"title": "Final", "starts_at": "2026-11-20T18:00:00Z"}')
        content_id = content_id_of(request)
        entry = Entry(content_id, body.title, body.starts_at, body.ends_at)

        def write() -> tuple[str, bool]:
            current = self._catalogue.get(content_id)
            expected = conditions.expected_version(request, current.version if current else None)
            return self._catalogue.put(entry, if_version=expected), current is None

        try:
            version, created = await run_in_threadpool(write)
        except VersionConflict:
            raise conditions.changed() from None
        return _answered(entry, version, 201 if created else 200)

    async def delete(self, request: Request) -> Response:
        """Also where there is none; 204. The content's audience and marks stay."""
        content_id: str = request.path_params["id"]

        def remove() -> None:
            current = self._catalogue.get(content_id)
            expected = conditions.expected_version(request, current.version if current else None)
            self._catalogue.delete(content_id, if_version=expected)

        try:
            await run_in_threadpool(remove)
        except VersionConflict:
            raise conditions.changed() from None
        return Response(status_code=204)


def content_id_of(request: Request) -> str:
    """The content that a change is about. Raises InvalidInput (400) for an id that no event can have."""
    content_id: str = request.path_params["id"]
    if len(content_id.encode()) > MAX_ID_BYTES:
        raise InvalidInput(f"A content's id has at most {MAX_ID_BYTES} bytes in UTF-8.", reason="path")
    return content_id


def _answered(entry: Entry, version: str, status: int = 200) -> Response:
    told = {
        "content_id": entry.content_id,
        "title": entry.title,
        "starts_at": None if entry.starts_at is None else rfc3339(entry.starts_at),
        "ends_at": None if entry.ends_at is None else rfc3339(entry.ends_at),
        "version": version,
    }
    return json_answer(told, status, {"ETag": conditions.etag(version)})


def _get_doc() -> Doc:
    from functions.contents.models import EntryAnswer

    headers = {"If-None-Match": "The `ETag` of the answer that the caller holds."}
    return Doc(headers=headers, answers={200: EntryAnswer, 304: None})


def _put_doc() -> Doc:
    from functions.contents.models import EntryAnswer, EntryBody

    return Doc(
        headers=conditions.HEADERS,
        request={"application/json": EntryBody},
        answers={200: EntryAnswer, 201: EntryAnswer},
        problems=(412,),
    )


def _delete_doc() -> Doc:
    return Doc(headers=conditions.HEADERS, answers={204: None}, problems=(412,))
