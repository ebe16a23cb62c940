"""The three calls, and the server."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from operator import eq, ge, gt, le, lt
from typing import Any, Final

from google.cloud.firestore_v1.types import firestore as messages
from google.cloud.firestore_v1.types import query as queries

from tests.emulators.firestore.rules import MAX_REQUEST_BYTES
from tests.emulators.firestore.store import Documents
from tests.emulators.google_rpc import Code, Faults, Method, Refused, serving

SERVICE: Final = "google.firestore.v1.Firestore"
_COMPARE: Final[dict[str, Callable[[bytes, bytes], bool]]] = {
    "LESS_THAN": lt,
    "LESS_THAN_OR_EQUAL": le,
    "GREATER_THAN": gt,
    "GREATER_THAN_OR_EQUAL": ge,
    "EQUAL": eq,
}


@dataclass(frozen=True)
class Firestore:
    """Where it listens (host:port), what it holds and what goes wrong there."""

    address: str
    documents: Documents
    faults: Faults

    @property
    def environ(self) -> dict[str, str]:
        return {"FIRESTORE_EMULATOR_HOST": self.address}


@contextmanager
def firestore() -> Iterator[Firestore]:
    """A Firestore with an empty database for every project, until the block ends."""
    documents, faults = Documents(), Faults()
    with serving(SERVICE, _methods(documents), faults) as address:
        yield Firestore(address, documents, faults)


def _methods(documents: Documents) -> dict[str, Method]:
    def commit(request: Any) -> Any:
        if request.ByteSize() > MAX_REQUEST_BYTES:
            raise Refused(Code.INVALID_ARGUMENT, f"Request payload size exceeds the limit: {MAX_REQUEST_BYTES}")
        if request.transaction:
            raise Refused(Code.UNIMPLEMENTED, "the stand-in has no transactions")
        times, now = documents.commit(request.database, request.writes)
        answer = messages.CommitResponse.pb()()
        answer.commit_time.FromMicroseconds(now)
        for time in times:
            result = answer.write_results.add()
            if time is not None:
                result.update_time.FromMicroseconds(time)
        return answer

    def batch_get(request: Any) -> Iterator[Any]:
        if request.HasField("mask") or request.WhichOneof("consistency_selector"):
            raise Refused(Code.UNIMPLEMENTED, "the stand-in reads whole documents as they are now")
        found, now = documents.read(request.database, request.documents)
        for name, document in found:
            answer = messages.BatchGetDocumentsResponse.pb()()
            answer.read_time.FromMicroseconds(now)
            if document is None:
                answer.missing = name
            else:
                answer.found.CopyFrom(document)
            yield answer

    def run_query(request: Any) -> Iterator[Any]:
        yield from _run(documents, request)

    return {
        "Commit": Method(messages.CommitRequest.pb(), commit),
        "BatchGetDocuments": Method(messages.BatchGetDocumentsRequest.pb(), batch_get, streams=True),
        "RunQuery": Method(messages.RunQueryRequest.pb(), run_query, streams=True),
    }


def _run(documents: Documents, request: Any) -> Iterator[Any]:
    query = request.structured_query
    source = query.from_
    if len(source) != 1 or source[0].all_descendants or query.offset or query.HasField("select"):
        raise Refused(Code.UNIMPLEMENTED, "the stand-in queries one collection for whole documents")
    database, _, parent = request.parent.partition("/documents")
    path = f"{parent.strip('/')}/{source[0].collection_id}".lstrip("/")
    found, now = documents.range(database, path)
    root = f"{database}/documents/{path}/"
    wanted = list(_conditions(query.where, root))
    chosen = [document for id_, document in found if all(compare(id_, bound) for compare, bound in wanted)]
    if _descends(query):
        chosen.reverse()
    if query.HasField("limit"):
        chosen = chosen[: query.limit.value]
    for document in chosen:
        answer = messages.RunQueryResponse.pb()()
        answer.document.CopyFrom(document)
        answer.read_time.FromMicroseconds(now)
        yield answer
    if not chosen:
        answer = messages.RunQueryResponse.pb()()
        answer.read_time.FromMicroseconds(now)
        yield answer


def _conditions(where: Any, root: str) -> Iterator[tuple[Callable[[bytes, bytes], bool], bytes]]:
    match where.WhichOneof("filter_type"):
        case None:
            return
        case "composite_filter":
            if where.composite_filter.op != queries.StructuredQuery.CompositeFilter.Operator.AND:
                raise Refused(Code.UNIMPLEMENTED, "the stand-in joins filters by AND only")
            for each in where.composite_filter.filters:
                yield from _conditions(each, root)
        case "field_filter" if where.field_filter.field.field_path == "__name__":
            operator = queries.StructuredQuery.FieldFilter.Operator(where.field_filter.op).name
            bound = where.field_filter.value.reference_value
            if operator not in _COMPARE or not bound.startswith(root):
                raise Refused(Code.INVALID_ARGUMENT, f"__key__ filter value must be in {root}")
            yield _COMPARE[operator], bound.removeprefix(root).encode()
        case _:
            raise Refused(Code.UNIMPLEMENTED, "the stand-in filters by __name__ only")


def _descends(query: Any) -> bool:
    if any(order.field.field_path != "__name__" for order in query.order_by):
        raise Refused(Code.UNIMPLEMENTED, "the stand-in orders by __name__ only")
    direction = queries.StructuredQuery.Direction.DESCENDING
    return any(order.direction == direction for order in query.order_by)
