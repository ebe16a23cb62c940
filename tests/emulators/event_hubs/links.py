"""What stands at the other end of a link: a hub's entrance, a partition's reader, credentials, management."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from tests.emulators.event_hubs.amqp import Described, Timestamp
from tests.emulators.event_hubs.broker import MAX_MESSAGE_BYTES, Fault, Hub, Namespace, Partition
from tests.emulators.event_hubs.frames import Frame
from tests.emulators.event_hubs.messages import APPLICATION_PROPERTIES, answer, sections, unpack
from tests.emulators.event_hubs.session import Link, Session

CBS: Final = "$cbs"
MANAGEMENT: Final = "$management"
_READER: Final = re.compile(r"(?P<hub>.+)/ConsumerGroups/(?P<group>[^/]+)/Partitions/(?P<partition>\d+)", re.I)
_PARTITION: Final = re.compile(r"(?P<hub>.+)/Partitions/(?P<partition>\d+)", re.I)
_SELECTOR: Final = re.compile(r"x-opt-(?P<field>[a-z-]+) (?P<op>>=?) '(?P<value>[^']*)'")
_REFUSALS: Final = {
    Fault.BUSY: ("com.microsoft:server-busy", "The request was terminated because the namespace is throttled."),
    Fault.DISABLED: ("com.microsoft:entity-disabled", "The event hub is disabled."),
    Fault.BROKEN: ("amqp:internal-error", "The service was unable to process the request."),
}


class NoSuchAddress(Exception):
    """There is nothing there to attach to."""


class Entrance(Link):
    """Where events are published to a hub."""

    def __init__(self, session: Session, handle: int, namespace: Namespace, address: str) -> None:
        super().__init__(session, handle)
        match = _PARTITION.fullmatch(address)
        self._namespace = namespace
        self._partition = int(match["partition"]) if match else None
        self._name = match["hub"] if match else address
        _hub(namespace, self._name)

    def receive(self, delivery_id: int, message: bytes, message_format: int) -> None:
        fault = self._namespace.next_fault()
        if len(message) > MAX_MESSAGE_BYTES:
            described = f"The received message (delivery-id:{delivery_id}) exceeds {MAX_MESSAGE_BYTES} bytes."
            self.session.reject(delivery_id, "amqp:link:message-size-exceeded", described)
        elif fault in _REFUSALS:
            self.session.reject(delivery_id, *_REFUSALS[fault])
        elif fault is Fault.DISCONNECT:
            self.session.disconnect()
        elif fault is Fault.DETACH:
            self._detach()
        else:
            self._store(message, message_format)
            if fault is Fault.LOSE_ANSWER:
                self._detach()
            else:
                self.session.accept(delivery_id)

    def _store(self, message: bytes, message_format: int) -> None:
        key, events = unpack(message, message_format)
        with self._namespace.lock:
            self._namespace.hub(self._name).append(events, key, self._partition)

    def _detach(self) -> None:
        self.session.detach(self, "amqp:link:detach-forced", "The link was detached by an operator.")


class Reader(Link):
    """Hands out a partition's events, for one consumer group, from where its client wants to begin."""

    sends = True

    def __init__(self, session: Session, handle: int, namespace: Namespace, address: str, source: Any) -> None:
        super().__init__(session, handle)
        match = _READER.fullmatch(address)
        if match is None:
            raise NoSuchAddress(f"{address} is no partition of a consumer group")
        hub = _hub(namespace, match["hub"])
        if match["group"] not in hub.groups:
            raise NoSuchAddress(f"The hub {hub.name} has no consumer group {match['group']}")
        if int(match["partition"]) >= len(hub.partitions):
            raise NoSuchAddress(f"The hub {hub.name} has no partition {match['partition']}")
        self._partition = hub.partitions[int(match["partition"])]
        self._next = _start(self._partition, source)
        self._partition.listeners.append(self.flow)

    def flow(self) -> None:
        events = self._partition.events
        while self.credit > 0 and self._next < len(events):
            self._next += 1
            self.session.deliver(self, events[self._next - 1].message)

    def closed(self) -> None:
        if self.flow in self._partition.listeners:
            self._partition.listeners.remove(self.flow)


class Answers(Link):
    """Where the answers of `$cbs` or `$management` go."""

    sends = True

    def __init__(self, session: Session, handle: int, address: str) -> None:
        super().__init__(session, handle)
        self.address = address


class Requests(Link):
    """Where requests to `$cbs` or `$management` come in; they are answered on that address's other link."""

    def __init__(
        self,
        session: Session,
        handle: int,
        address: str,
        respond: Callable[[Mapping[int, list[Any]]], tuple[int, str, Any]],
    ) -> None:
        super().__init__(session, handle)
        self._address = address
        self._respond = respond

    def receive(self, delivery_id: int, message: bytes, message_format: int) -> None:
        self.session.accept(delivery_id)
        request = sections(message)
        status, description, body = self._respond(request)
        for link in self.session.links.values():
            if isinstance(link, Answers) and link.address == self._address:
                self.session.deliver(link, answer(request, status, description, body))


def make(session: Session, attach: Frame, namespace: Namespace) -> Link:
    """The link that a client asks for. Raises NoSuchAddress."""
    handle, to_client = attach["handle"], bool(attach["role"])
    end = attach["source"] if to_client else attach["target"]
    address = _path(end.value[0] or "")
    if address.endswith(MANAGEMENT) or address == CBS:
        if to_client:
            return Answers(session, handle, address)
        respond = _credentials(namespace) if address == CBS else _management(namespace)
        return Requests(session, handle, address, respond)
    if to_client:
        return Reader(session, handle, namespace, address, end.value)
    return Entrance(session, handle, namespace, address)


def _path(address: str) -> str:
    return (urlsplit(address).path if "://" in address else address).strip("/")


def _hub(namespace: Namespace, name: str) -> Hub:
    try:
        return namespace.hub(name)
    except KeyError:
        raise NoSuchAddress(f"The messaging entity '{name}' could not be found.") from None


def _start(partition: Partition, source: Any) -> int:
    """The index of the first event that a selector filter takes; all of them without one."""
    filters = source[7] if len(source) > 7 and source[7] else {}
    text = " ".join(str(each.value if isinstance(each, Described) else each) for each in filters.values())
    match = _SELECTOR.search(text)
    if match is None or match["value"] == "-1":
        return 0
    if match["value"] == "@latest":
        return len(partition.events)
    wanted, inclusive = int(match["value"]), match["op"] == ">="
    for index, event in enumerate(partition.events):
        value = {
            "offset": int(event.offset),
            "sequence-number": event.sequence_number,
            "enqueued-time": event.enqueued_ms,
        }[match["field"]]
        if value > wanted or (inclusive and value == wanted):
            return index
    return len(partition.events)


def _credentials(namespace: Namespace) -> Callable[[Mapping[int, list[Any]]], tuple[int, str, Any]]:
    def respond(_: Mapping[int, list[Any]]) -> tuple[int, str, Any]:
        if namespace.refuse_tokens:
            return 401, "Unauthorized access. The token has expired.", None
        return 202, "Accepted", None

    return respond


def _management(namespace: Namespace) -> Callable[[Mapping[int, list[Any]]], tuple[int, str, Any]]:
    def respond(request: Mapping[int, list[Any]]) -> tuple[int, str, Any]:
        asked = request[APPLICATION_PROPERTIES][0]
        try:
            hub = namespace.hub(asked["name"])
        except KeyError:
            return 404, f"The messaging entity '{asked['name']}' could not be found.", None
        if "partition" not in asked:
            return 200, "OK", _about_hub(hub)
        return 200, "OK", _about_partition(hub, asked["partition"])

    return respond


def _about_hub(hub: Hub) -> dict[str, Any]:
    ids = [str(number) for number in range(len(hub.partitions))]
    return {
        "name": hub.name,
        "type": "com.microsoft:eventhub",
        "created_at": Timestamp(hub.created_ms),
        "partition_count": len(ids),
        "partition_ids": ids,
    }


def _about_partition(hub: Hub, partition: str) -> dict[str, Any]:
    events = hub.partitions[int(partition)].events
    last = events[-1] if events else None
    return {
        "name": hub.name,
        "type": "com.microsoft:partition",
        "partition": partition,
        "begin_sequence_number": 0,
        "last_enqueued_sequence_number": last.sequence_number if last else -1,
        "last_enqueued_offset": last.offset if last else "-1",
        "last_enqueued_time_utc": Timestamp(last.enqueued_ms if last else 0),
        "is_partition_empty": last is None,
    }
