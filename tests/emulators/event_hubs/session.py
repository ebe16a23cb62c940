"""One AMQP session: its links, and what it owes them of credit and of answers (amqp-core-transport, section 2.5)."""

import struct
from collections.abc import Callable
from typing import Final, Protocol

from tests.emulators.event_hubs.amqp import Described, UInt, ULong
from tests.emulators.event_hubs.frames import ACCEPTED, REJECTED, Frame, Performative, error

WINDOW: Final = 1 << 30
CREDIT: Final = 1_000
"""How many messages a sender may send before it is granted more."""
_TRANSFER_BYTES: Final = 128
"""More than a transfer frame needs beside its payload."""


class Send(Protocol):
    def __call__(self, channel: int, kind: Performative, payload: bytes = b"", **fields: object) -> None: ...


class Link:
    """One direction of messages between a client and an address."""

    sends = False
    """Whether messages go to the client."""

    def __init__(self, session: "Session", handle: int) -> None:
        self.session = session
        self.handle = handle
        self.count = 0
        """Deliveries so far."""
        self.credit = 0
        """How many more the client takes."""

    def receive(self, delivery_id: int, message: bytes, message_format: int) -> None:
        """Called with each whole message from the client."""

    def flow(self) -> None:
        """Called when the client takes more."""

    def closed(self) -> None:
        """Called when the link ends."""


class Session:
    """The links of one channel by their handles."""

    def __init__(self, channel: int, send: Send, frame_bytes: int, disconnect: Callable[[], None]) -> None:
        self.channel = channel
        self.links: dict[int, Link] = {}
        self.disconnect = disconnect
        self._send = send
        self._frame_bytes = frame_bytes
        self._sent = 0
        self._received = 0
        self._partial: dict[int, bytes] = {}
        self._first: dict[int, Frame] = {}

    def send(self, kind: Performative, payload: bytes = b"", **fields: object) -> None:
        """Send a frame on this session's channel."""
        self._send(self.channel, kind, payload, **fields)

    def attached(self, link: Link, attach: Frame, max_message_bytes: int) -> None:
        """Answer an attach with its own fields, and let a sender begin."""
        self.links[link.handle] = link
        echoed = {name: attach[name] for name in ("name", "snd_settle_mode", "rcv_settle_mode", "source", "target")}
        self.send(
            Performative.ATTACH,
            handle=UInt(link.handle),
            role=not attach["role"],
            initial_delivery_count=UInt(0) if link.sends else None,
            max_message_size=ULong(max_message_bytes),
            properties={},
            **echoed,
        )
        if not link.sends:
            self._grant(link)

    def refuse(self, attach: Frame) -> Link:
        """Attach a link that leads nowhere, to be detached with the reason."""
        link = Link(self, attach["handle"])
        link.sends = bool(attach["role"])
        self.attached(link, attach, 0)
        return link

    def transfer(self, frame: Frame) -> None:
        """Take one frame of a message; the link gets the message when it is whole."""
        handle = frame["handle"]
        link = self.links.get(handle)
        self._received += 1
        if link is None:
            return
        first = self._first.setdefault(handle, frame)
        self._partial[handle] = self._partial.get(handle, b"") + frame.payload
        if frame["more"]:
            return
        message = self._partial.pop(handle)
        del self._first[handle]
        link.count += 1
        link.receive(first["delivery_id"], message, first["message_format"] or 0)
        if link.count % (CREDIT // 2) == 0 and handle in self.links:
            self._grant(link)

    def flow(self, frame: Frame) -> None:
        """Note how much a receiver takes, and hand it what waits."""
        link = None if frame["handle"] is None else self.links.get(frame["handle"])
        if link is not None and link.sends:
            link.credit = (frame["delivery_count"] or 0) + (frame["link_credit"] or 0) - link.count
            link.flow()

    def deliver(self, link: Link, message: bytes) -> None:
        """Send a message to the client, in as many frames as it needs."""
        number, step = self._sent, self._frame_bytes - _TRANSFER_BYTES
        self._sent += 1
        link.count += 1
        link.credit -= 1
        for at in range(0, max(1, len(message)), step):
            self.send(
                Performative.TRANSFER,
                message[at : at + step],
                handle=UInt(link.handle),
                delivery_id=UInt(number),
                delivery_tag=struct.pack(">I", number),
                message_format=UInt(0),
                settled=True,
                more=at + step < len(message),
            )

    def accept(self, delivery_id: int) -> None:
        """Tell the client that its message is stored."""
        self._settle(delivery_id, Described(ACCEPTED, []))

    def reject(self, delivery_id: int, condition: str, description: str) -> None:
        """Tell the client that its message is refused, and why."""
        self._settle(delivery_id, Described(REJECTED, [error(condition, description)]))

    def detach(self, link: Link, condition: str, description: str) -> None:
        """End a link for a reason."""
        if self.links.pop(link.handle, None) is not None:
            link.closed()
            self.send(Performative.DETACH, handle=UInt(link.handle), closed=True, error=error(condition, description))

    def detached(self, handle: int) -> None:
        """The client ends a link; what was already detached from here is not answered again."""
        link = self.links.pop(handle, None)
        if link is not None:
            link.closed()
            self.send(Performative.DETACH, handle=UInt(handle), closed=True)

    def close(self) -> None:
        """Every link ends with its session."""
        for link in self.links.values():
            link.closed()
        self.links.clear()

    def _settle(self, delivery_id: int, state: Described) -> None:
        self.send(
            Performative.DISPOSITION,
            role=True,
            first=UInt(delivery_id),
            last=UInt(delivery_id),
            settled=True,
            state=state,
            batchable=False,
        )

    def _grant(self, link: Link) -> None:
        self.send(
            Performative.FLOW,
            next_incoming_id=UInt(self._received),
            incoming_window=UInt(WINDOW),
            next_outgoing_id=UInt(self._sent),
            outgoing_window=UInt(WINDOW),
            handle=UInt(link.handle),
            delivery_count=UInt(link.count),
            link_credit=UInt(CREDIT),
            drain=False,
            echo=False,
        )
