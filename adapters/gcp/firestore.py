"""Firestore's three calls that a table needs, with the messages of Google's own client.

The generated client and the one above it wrap every message and every call once more, which costs half as much again
as the rest of a small write; the channel under them, and the messages inside, are the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final
from urllib.parse import quote

from adapters.common.environment import needs_extra
from adapters.gcp.clients import REQUEST_SECONDS, Clients

HOST: Final = "firestore.googleapis.com"
EMULATOR: Final = "FIRESTORE_EMULATOR_HOST"
SERVICE: Final = "/google.firestore.v1.Firestore"
READ_SECONDS: Final = 20.0
"""Of a read of many documents: 250 of them may have 64 MiB."""
FEW: Final = 10


class Firestore:
    """The project's default database. Every call raises grpc.RpcError."""

    def __init__(self, clients: Clients) -> None:
        """Raises Misconfigured."""
        self.database = f"projects/{clients.project}/databases/(default)"
        channel = clients.channel(HOST, EMULATOR)
        with needs_extra("gcp"):
            from google.cloud.firestore_v1.types import firestore as messages
            from google.cloud.firestore_v1.types import query, write

        self.new_write = write.Write.pb()
        self._commits = messages.CommitRequest.pb()
        self._gets = messages.BatchGetDocumentsRequest.pb()
        self._queries = messages.RunQueryRequest.pb()
        self._operators: Any = query.StructuredQuery.FieldFilter.Operator
        self._both = query.StructuredQuery.CompositeFilter.Operator.AND
        self._parent = f"{self.database}/documents"
        self._to_database = _route("database", self.database)
        self._to_parent = _route("parent", self._parent)
        self._commit = channel.unary_unary(
            f"{SERVICE}/Commit",
            request_serializer=self._commits.SerializeToString,
            response_deserializer=messages.CommitResponse.pb().FromString,
        )
        self._get = channel.unary_stream(
            f"{SERVICE}/BatchGetDocuments",
            request_serializer=self._gets.SerializeToString,
            response_deserializer=messages.BatchGetDocumentsResponse.pb().FromString,
        )
        self._query = channel.unary_stream(
            f"{SERVICE}/RunQuery",
            request_serializer=self._queries.SerializeToString,
            response_deserializer=messages.RunQueryResponse.pb().FromString,
        )

    def collection(self, name: str) -> str:
        """The full name of a collection, with a slash at its end."""
        return f"{self._parent}/{name}/"

    def commit(self, write: Any) -> Any:
        """One write's result."""
        request = self._commits(database=self.database, writes=[write])
        return self._commit(request, timeout=REQUEST_SECONDS, metadata=self._to_database).write_results[0]

    def get(self, names: Sequence[str]) -> Iterator[tuple[str, Any | None]]:
        """Each name with its document as it is now, or None; in any order."""
        request = self._gets(database=self.database, documents=names)
        seconds = REQUEST_SECONDS if len(names) <= FEW else READ_SECONDS
        for answer in self._get(request, timeout=seconds, metadata=self._to_database):
            if answer.WhichOneof("result") == "found":
                yield answer.found.name, answer.found
            elif answer.missing:
                yield answer.missing, None

    def query(self, collection: str, bounds: Iterable[tuple[str, str]], limit: int) -> Iterator[Any]:
        """The documents of a collection within bounds of their names, as ("LESS_THAN", name), in order."""
        request = self._queries(parent=self._parent)
        wanted = request.structured_query
        wanted.from_.add().collection_id = collection
        wanted.where.composite_filter.op = self._both
        for operator, name in bounds:
            bound = wanted.where.composite_filter.filters.add().field_filter
            bound.field.field_path = "__name__"
            bound.op = self._operators[operator]
            bound.value.reference_value = name
        wanted.order_by.add().field.field_path = "__name__"
        wanted.limit.value = limit
        call: Any = self._query(request, timeout=READ_SECONDS, metadata=self._to_parent)
        try:
            for answer in call:
                if answer.HasField("document"):
                    yield answer.document
        finally:
            call.cancel()


def _route(name: str, value: str) -> tuple[tuple[str, str]]:
    """The header by which Google leads a request to where its data is."""
    return (("x-goog-request-params", f"{name}={quote(value)}"),)
