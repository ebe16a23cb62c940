"""The two apps whose posts are compared: one that only decodes, and the suite's own with a stream that discards."""

from starlette.types import Receive, Scope, Send

from lab.bench.bare import decode


async def raw(scope: Scope, receive: Receive, send: Send) -> None:
    """Decode the body's events and say 202: the least that an ASGI app can do."""
    if scope["type"] != "http":
        return
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    if scope["method"] == "POST":
        decode(body)
    headers = [(b"content-type", b"application/json"), (b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 202, "headers": headers})
    await send({"type": "http.response.body", "body": b"{}"})
