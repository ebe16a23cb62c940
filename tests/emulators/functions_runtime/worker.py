"""The worker's process: Microsoft's library around an app. Messages come and go by the pipe rather than by gRPC.

Runs with nothing of the tests' on its path: python worker.py APP RUNTIME [PATH...]
"""

import asyncio
import os
import struct
import sys
import types
from typing import Any, BinaryIO

LENGTH = struct.Struct(">I")


async def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer each request with the library's own handler, until the pipe ends."""
    import azure_functions_runtime as runtime  # type: ignore[import-not-found]
    import function_rpc_pb2 as messages  # type: ignore[import-not-found]

    runtime.start_threadpool_executor()
    protos = types.SimpleNamespace(**{name: getattr(messages, name) for name in dir(messages) if name[0].isupper()})
    while head := requests.read(LENGTH.size):
        request = messages.StreamingMessage.FromString(requests.read(*LENGTH.unpack(head)))
        content = request.WhichOneof("content")
        asked = types.SimpleNamespace(request=request, properties={"host": "127.0.0.1", "protos": protos})
        answer: Any = await getattr(runtime, content)(asked)
        reply = messages.StreamingMessage(request_id=request.request_id, **{_answering(content): answer})
        data = reply.SerializeToString()
        answers.write(LENGTH.pack(len(data)) + data)
        answers.flush()
    runtime.stop_threadpool_executor()


def _answering(content: str) -> str:
    response = content.removesuffix("_request") + "_response"
    return "function_metadata_response" if response == "functions_metadata_response" else response


def main() -> None:
    """What the app prints goes to stderr: stdout is the pipe."""
    app, *path = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.path[:0] = [app, *path]
    os.chdir(app)
    asyncio.run(serve(sys.stdin.buffer, answers))


if __name__ == "__main__":
    main()
