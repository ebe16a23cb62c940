"""The AMQP server: connections of clients on a thread of its own."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from tests.emulators.event_hubs import links
from tests.emulators.event_hubs.amqp import Symbol, UByte, UInt, UShort
from tests.emulators.event_hubs.broker import MAX_MESSAGE_BYTES, Namespace
from tests.emulators.event_hubs.frames import (
    MAX_FRAME_BYTES,
    PROTOCOL_HEADER_BYTES,
    Frame,
    Performative,
    pack,
    read_frame,
)
from tests.emulators.event_hubs.messages import event
from tests.emulators.event_hubs.session import WINDOW, Session

HOST: Final = "127.0.0.1"
_SASL_PROTOCOL: Final = 3
_SASL_OK: Final = 0
_SMALLEST_FRAME: Final = 65_536
_IDLE_MS: Final = 240_000


class Connection:
    """One client's connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, namespace: Namespace) -> None:
        self._reader = reader
        self._writer = writer
        self._namespace = namespace
        self._sessions: dict[int, Session] = {}
        self._frame_bytes = _SMALLEST_FRAME

    async def run(self) -> None:
        """Serve the client until either side ends the connection."""
        try:
            await self._shake_hands()
            while not self._writer.is_closing():
                frame = await read_frame(self._reader)
                if frame is not None:
                    self._handle(frame)
                await self._writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            for session in self._sessions.values():
                session.close()
            self.drop()

    def drop(self) -> None:
        """End the connection without a word, as a network does."""
        self._writer.close()

    def send(self, channel: int, kind: Performative, payload: bytes = b"", **fields: object) -> None:
        """Write one frame; what a dropped connection would have sent is lost."""
        if not self._writer.is_closing():
            self._writer.write(pack(channel, kind, payload, **fields))

    async def _shake_hands(self) -> None:
        """Protocol headers, with an anonymous SASL layer where the client wants one; tokens come by `$cbs`."""
        header = await self._reader.readexactly(PROTOCOL_HEADER_BYTES)
        if header[4] == _SASL_PROTOCOL:
            self._writer.write(header)
            self.send(0, Performative.SASL_MECHANISMS, sasl_server_mechanisms=[Symbol("ANONYMOUS")])
            await read_frame(self._reader)
            self.send(0, Performative.SASL_OUTCOME, code=UByte(_SASL_OK))
            header = await self._reader.readexactly(PROTOCOL_HEADER_BYTES)
        self._writer.write(header)

    def _handle(self, frame: Frame) -> None:
        if frame.kind is Performative.OPEN:
            self._open(frame)
        elif frame.kind is Performative.BEGIN:
            self._begin(frame.channel)
        elif frame.kind is Performative.CLOSE:
            self.send(0, Performative.CLOSE)
            self.drop()
        elif frame.kind is Performative.END:
            self._sessions.pop(frame.channel).close()
            self.send(frame.channel, Performative.END)
        elif frame.channel in self._sessions:
            self._handle_link(self._sessions[frame.channel], frame)

    def _open(self, frame: Frame) -> None:
        self._frame_bytes = min(frame["max_frame_size"] or _SMALLEST_FRAME, MAX_FRAME_BYTES)
        self.send(
            0,
            Performative.OPEN,
            container_id="event-hubs-stand-in",
            max_frame_size=UInt(MAX_FRAME_BYTES),
            channel_max=UShort(65_535),
            idle_time_out=UInt(_IDLE_MS),
            properties={},
        )

    def _begin(self, channel: int) -> None:
        self._sessions[channel] = Session(channel, self.send, self._frame_bytes, self.drop)
        self.send(
            channel,
            Performative.BEGIN,
            remote_channel=UShort(channel),
            next_outgoing_id=UInt(0),
            incoming_window=UInt(WINDOW),
            outgoing_window=UInt(WINDOW),
            handle_max=UInt(255),
            properties={},
        )

    def _handle_link(self, session: Session, frame: Frame) -> None:
        if frame.kind is Performative.ATTACH:
            self._attach(session, frame)
        elif frame.kind is Performative.FLOW:
            session.flow(frame)
        elif frame.kind is Performative.TRANSFER:
            session.transfer(frame)
        elif frame.kind is Performative.DETACH:
            session.detached(frame["handle"])

    def _attach(self, session: Session, frame: Frame) -> None:
        """A link that is refused is attached, then detached with the reason (amqp-core-transport, 2.6.3)."""
        try:
            link = links.make(session, frame, self._namespace)
        except links.NoSuchAddress as error:
            nothing = session.refuse(frame)
            session.detach(nothing, "amqp:not-found", str(error))
        else:
            session.attached(link, frame, MAX_MESSAGE_BYTES)


class EventHubs(Namespace):
    """A namespace that is served at `address`, until `stop`."""

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="event-hubs-stand-in", daemon=True)
        self._connections: set[Connection] = set()
        self._server: asyncio.Server | None = None

    @property
    def address(self) -> str:
        """Host and port."""
        assert self._server is not None
        return f"{HOST}:{self._server.sockets[0].getsockname()[1]}"

    @property
    def connection_string(self) -> str:
        """What a client of the SDK takes."""
        return (
            f"Endpoint=sb://{self.address};SharedAccessKeyName=stand-in;SharedAccessKey=none;"
            "UseDevelopmentEmulator=true"
        )

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return len(self._connections)

    def start(self) -> None:
        """Listen on a free port."""
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._serve, HOST, 0), self._loop
        ).result()

    def stop(self) -> None:
        """End every connection and the server."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def put(self, hub: str, body: bytes) -> None:
        """Store an event that somebody else has sent."""

        async def append() -> None:
            with self.lock:
                self.hub(hub).append([event(body)], None, None)

        asyncio.run_coroutine_threadsafe(append(), self._loop).result()

    def disconnect(self) -> None:
        """End every connection, as Event Hubs does with those that were idle for some minutes."""

        async def drop() -> None:
            for connection in self._connections:
                connection.drop()

        asyncio.run_coroutine_threadsafe(drop(), self._loop).result()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(reader, writer, self)
        self._connections.add(connection)
        try:
            await connection.run()
        finally:
            self._connections.discard(connection)

    async def _end(self) -> None:
        assert self._server is not None
        self._server.close()
        for connection in self._connections:
            connection.drop()
        running = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*running, return_exceptions=True), 5)


@contextmanager
def event_hubs() -> Iterator[EventHubs]:
    """A namespace without hubs on a free port of this machine."""
    hubs = EventHubs()
    hubs.start()
    try:
        yield hubs
    finally:
        hubs.stop()
