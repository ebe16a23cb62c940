"""What the stand-ins of Google's gRPC services share: a server on a free port, faults on demand, commit times."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import grpc

MAX_MESSAGE_BYTES: Final = 64 * 1024 * 1024
Code = grpc.StatusCode


class Refused(Exception):
    """What a stand-in answers instead: a status and the words that the real service would use."""

    def __init__(self, code: grpc.StatusCode, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


@dataclass
class _Fault:
    method: str | None
    error: Refused
    left: int
    after: bool


@dataclass
class Faults:
    """What goes wrong, by method ("Commit"), and how often each was called."""

    calls: Counter[str] = field(default_factory=Counter)
    _planned: list[_Fault] = field(default_factory=list)
    _down: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def fail(
        self,
        method: str | None,
        code: grpc.StatusCode,
        times: int = 1,
        *,
        after: bool = False,
        detail: str = "a fault of the test's",
    ) -> None:
        """The next calls of a method (None: any) fail; `after` lets them have their effect and loses the answer."""
        with self._lock:
            self._planned.append(_Fault(method, Refused(code, detail), times, after))

    @contextmanager
    def down(self) -> Iterator[None]:
        """Nothing is answered until the block ends."""
        self._down = True
        try:
            yield
        finally:
            self._down = False

    def clear(self) -> None:
        with self._lock:
            self._planned.clear()
            self.calls.clear()

    def meet(self, method: str) -> Refused | None:
        """Called before the work: raises what fails at once, returns what fails afterwards."""
        with self._lock:
            self.calls[method] += 1
            if self._down:
                raise Refused(Code.UNAVAILABLE, "the service is down")
            for fault in self._planned:
                if fault.left > 0 and fault.method in (None, method):
                    fault.left -= 1
                    if fault.after:
                        return fault.error
                    raise fault.error
        return None


class Instants:
    """Commit times in microseconds since epoch, each later than the one before."""

    def __init__(self) -> None:
        self._last = 0
        self._lock = threading.Lock()

    def next(self) -> int:
        with self._lock:
            self._last = max(self._last + 1, time.time_ns() // 1_000)
            return self._last


@dataclass(frozen=True)
class Method:
    """A call: its request's message class, and the work that returns an answer or, when `streams`, yields them."""

    request: Any
    work: Callable[[Any], Any]
    streams: bool = False


@contextmanager
def serving(service: str, methods: Mapping[str, Method], faults: Faults) -> Iterator[str]:
    """The service on a free port of 127.0.0.1 until the block ends; yields host:port."""
    server = grpc.server(
        futures.ThreadPoolExecutor(16, thread_name_prefix=service),
        options=[
            ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
            ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
            ("grpc.so_reuseport", 0),
        ],
    )
    handlers = {name: _handler(name, method, faults) for name, method in methods.items()}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(grace=None).wait()


def _handler(name: str, method: Method, faults: Faults) -> Any:
    def one(request: Any, context: grpc.ServicerContext) -> Any:
        try:
            lost = faults.meet(name)
            answer = method.work(request)
        except Refused as refused:
            context.abort(refused.code, refused.detail)
        if lost is not None:
            context.abort(lost.code, lost.detail)
        return answer

    def many(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        try:
            lost = faults.meet(name)
            answers = list(method.work(request))
        except Refused as refused:
            context.abort(refused.code, refused.detail)
        if lost is None:
            yield from answers
        else:
            yield from answers[: len(answers) // 2]
            context.abort(lost.code, lost.detail)

    make: Any = grpc.unary_stream_rpc_method_handler if method.streams else grpc.unary_unary_rpc_method_handler
    return make(
        many if method.streams else one,
        request_deserializer=method.request.FromString,
        response_serializer=lambda message: message.SerializeToString(),
    )
