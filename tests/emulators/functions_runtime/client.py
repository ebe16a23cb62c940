"""The Functions host's side: it has an app indexed, and its functions invoked."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, Final
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

from tests.contract.rig import HttpAnswer
from tests.emulators.functions_runtime.install import messages, runtime
from tests.emulators.functions_runtime.worker import LENGTH

WORKER: Final = Path(__file__).with_name("worker.py")
PACKAGES: Final = ".python_packages/lib/site-packages"
"""Where an app that was packaged has its libraries."""
SITE: Final = "https://grandstand.azurewebsites.net"
STOP_SECONDS: Final = 30


class InvocationFailed(Exception):
    """The function raised; the host would do with it as its trigger says."""


class Worker:
    """An app that is indexed. `functions` has the bindings of each by its name, `retries` their retry options."""

    def __init__(self, process: "subprocess.Popen[bytes]", said: IO[bytes], app: Path) -> None:
        """Raises InvocationFailed when the app cannot be indexed."""
        self._process = process
        self._said = said
        self._rpc: Any = messages()
        started = self._ask(worker_init_request=self._rpc.WorkerInitRequest(function_app_directory=str(app)))
        self._check(started.worker_init_response.result)
        asked = self._rpc.FunctionsMetadataRequest(function_app_directory=str(app))
        told = self._ask(functions_metadata_request=asked).function_metadata_response
        self._check(told.result)
        self._ids = {each.name: each.function_id for each in told.function_metadata_results}
        self.functions: dict[str, list[dict[str, Any]]] = {
            each.name: [json.loads(binding) for binding in each.raw_bindings]
            for each in told.function_metadata_results
        }
        self.retries = {each.name: each.retry_options for each in told.function_metadata_results}
        for each in told.function_metadata_results:
            asked = self._rpc.FunctionLoadRequest(function_id=each.function_id, metadata=each)
            self._check(self._ask(function_load_request=asked).function_load_response.result)

    def http(
        self, name: str, method: str, target: str, *, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> HttpAnswer:
        """An HTTP function's answer; `target` is the path as it is sent, with its query."""
        request = self._rpc.RpcHttp(
            method=method,
            url=SITE + target,
            headers=headers or {},
            query=dict(parse_qsl(urlsplit(target).query)),
            body=self._rpc.TypedData(bytes=body) if body else None,
        )
        answer = self._invoke(name, "req", self._rpc.TypedData(http=request)).http
        lower = {key.lower(): value for key, value in answer.headers.items()}
        return HttpAnswer(int(answer.status_code), lower, answer.body.bytes)

    def events(self, name: str, bodies: Sequence[bytes], *, retries: int = 0) -> None:
        """A batch of a partition's events. Raises InvocationFailed."""
        properties = [
            {
                "SequenceNumber": number,
                "Offset": str(number * 100),
                "PartitionKey": None,
                "EnqueuedTimeUtc": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            }
            for number in range(len(bodies))
        ]
        context = {"EventHubName": "events", "ConsumerGroup": name, "PartitionId": "0"}
        self._invoke(
            name,
            "events",
            self._rpc.TypedData(collection_bytes=self._rpc.CollectionBytes(bytes=list(bodies))),
            {
                "SystemPropertiesArray": self._rpc.TypedData(json=json.dumps(properties)),
                "PartitionContext": self._rpc.TypedData(json=json.dumps(context)),
            },
            retries,
        )

    def message(self, name: str, body: bytes, *, attempt: int = 1) -> None:
        """A queue's message. Raises InvocationFailed: then the host brings it again."""
        metadata = {
            "Id": self._rpc.TypedData(string=str(uuid4())),
            "DequeueCount": self._rpc.TypedData(json=str(attempt)),
        }
        self._invoke(name, "message", self._rpc.TypedData(bytes=body), metadata)

    def timer(self, name: str) -> None:
        """A timer is due. Raises InvocationFailed."""
        told = {"IsPastDue": False, "Schedule": {"AdjustForDST": True}, "ScheduleStatus": None}
        self._invoke(name, "timer", self._rpc.TypedData(json=json.dumps(told)))

    def _invoke(
        self, name: str, binding: str, data: Any, metadata: Mapping[str, Any] | None = None, retries: int = 0
    ) -> Any:
        request = self._rpc.InvocationRequest(
            invocation_id=str(uuid4()),
            function_id=self._ids[name],
            input_data=[self._rpc.ParameterBinding(name=binding, data=data)],
            trigger_metadata=metadata or {},
            retry_context=self._rpc.RetryContext(retry_count=retries, max_retry_count=-1),
        )
        response = self._ask(invocation_request=request).invocation_response
        self._check(response.result)
        return response.return_value

    def _ask(self, **content: Any) -> Any:
        data = self._rpc.StreamingMessage(request_id=str(uuid4()), **content).SerializeToString()
        pipe, back = self._process.stdin, self._process.stdout
        assert pipe is not None and back is not None
        pipe.write(LENGTH.pack(len(data)) + data)
        pipe.flush()
        head = back.read(LENGTH.size)
        if len(head) < LENGTH.size:
            raise InvocationFailed(f"the worker ended:\n{self.said()}")
        return self._rpc.StreamingMessage.FromString(back.read(*LENGTH.unpack(head)))

    def _check(self, result: Any) -> None:
        if result.status != self._rpc.StatusResult.Success:
            raise InvocationFailed(f"{result.exception.message}\n{result.exception.stack_trace}")

    def said(self) -> str:
        """What the process has written so far."""
        self._said.seek(0)
        return self._said.read().decode(errors="replace")


@contextmanager
def functions_worker(app: Path, environ: Mapping[str, str], path: Sequence[Path] = ()) -> Iterator[Worker]:
    """The app of a folder that has a function_app.py, indexed in a process of its own. Raises NotInstalled.

    An app that was packaged has its own libraries, and sees no others; any other finds this Python's, and `path`.
    """
    packages = app / PACKAGES
    packaged = packages.exists()
    folders = [app, *([packages] if packaged else []), runtime(), *path]
    command = [sys.executable, *(["-I", "-S"] if packaged else []), str(WORKER), *map(str, folders)]
    with TemporaryFile() as said:
        process = subprocess.Popen(
            command, env=dict(environ), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said
        )
        try:
            yield Worker(process, said, app)
        finally:
            process.communicate(timeout=STOP_SECONDS)  # its stdin ends, and it with it
