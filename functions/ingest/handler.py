"""Ingest itself, as plain functions of bytes and ports: decode, pack, append."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from events.crowds import refuse_many
from events.event import MAX_ID_BYTES, Body, Rejection
from events.native import Native
from functions.ingest.append import GroupCommit, append_all
from functions.ingest.disguise import Disguise
from functions.ingest.load import Load
from functions.ingest.packing import Circumstances, Packer, Packing, identity_of
from functions.ingest.unpack import digest_of, unpack
from shared.errors import InvalidInput
from shared.fan_out import TABLE, FanOuts
from shared.ports import Ports
from shared.privacy.pseudonym import SECRET, KeyRing, load_key_ring
from shared.settings import Settings
from shared.stream import EVENT_STREAM


@dataclass(slots=True)
class Sent:
    """One request: its body as it came, and what its headers say of it."""

    data: bytes
    source: str
    encoding: str = ""
    idempotency_key: str | None = None


@dataclass(slots=True)
class Receipt:
    """What became of a body; `sample_rate` is the part of the viewers whose heartbeats are kept, `normalised` how
    often a rule of the format was broken and mended.
    """

    accepted: int
    rejected: Sequence[Rejection]
    report_every_seconds: int
    sample_rate: float
    normalised: dict[str, int]

    def as_json(self) -> dict[str, object]:
        """The answer to the sender."""
        answer: dict[str, object] = {
            "accepted": self.accepted,
            "rejected": [{"index": each.index, "reason": each.reason} for each in self.rejected],
            "report_every_seconds": self.report_every_seconds,
        }
        if self.sample_rate < 1:
            answer["sample_rate"] = self.sample_rate
        if self.normalised:
            answer["normalised"] = self.normalised
        return answer


class Ingest:
    """One instance of ingest. Clients and secrets are first asked for when a body comes."""

    def __init__(self, ports: Ports, settings: Settings) -> None:
        self._ports = ports
        self._settings = settings
        self.native = Native(settings.extra_fields, settings.max_events_per_body)
        self.load = Load(settings)
        self._meter = ports.meter("ingest")
        self._packer: Packer | None = None
        self._commit: GroupCommit | None = None

    def now_ms(self) -> int:
        return self._ports.clock.now_ms()

    def unpack(self, sent: Sent) -> bytes:
        """The body's bytes, decompressed. Raises InvalidInput: 400, 413, 415, or 429 when too much comes in."""
        self.load.admit(self.now_ms())
        return unpack(sent.data, sent.encoding, self._settings.max_decoded_bytes)

    def pack(self, body: Body, data: bytes, sent: Sent, volatile: str | None = None) -> tuple[Packing, Receipt]:
        """The records of a decoded body. `volatile` is the member of its JSON that says when it was sent."""
        events = body.core or body.events
        refuse_many(len(events) + len(body.rejected), self._settings.max_events_per_body)
        now = self.now_ms()
        told_interval = events[0].report_every_seconds if events else None
        self.load.observe(len(events), told_interval, now)
        batch_id = body.batch_id or sent.idempotency_key
        met = Circumstances(
            source=sent.source,
            reception=os.urandom(8),
            received_at=now,
            identity=_identity(sent.source, batch_id, data, volatile if body.sent_at is not None else None),
            exact=bool(batch_id),
            body_bytes=len(data),
            level=self.load.level,
            report_every_seconds=self.load.report_every_seconds,
        )
        packing = self._packing().pack(body, met)
        rate = 1 / 2**met.level
        return packing, Receipt(packing.accepted, packing.rejected, met.report_every_seconds, rate, body.normalised)

    def ingest(self, sent: Sent) -> Receipt:
        """Take a native JSON body and return when the stream has it: what a Lambda does with one request.

        Raises InvalidInput, or Unavailable when the stream refuses; then the same body may be sent again.
        """
        data = self.unpack(sent)
        packing, receipt = self.pack(self.native.decode(data), data, sent, "sent_at")
        durable = False
        try:
            append_all(self._ports.stream(EVENT_STREAM), packing.records)
            durable = True
        finally:
            self._count(packing, durable)
        return receipt

    async def append(self, packing: Packing) -> None:
        """Append its records together with the requests that are under way. Raises Unavailable."""
        if self._commit is None:
            self._commit = GroupCommit(
                self._ports.stream(EVENT_STREAM), linger_seconds=self._settings.group_commit_ms / 1_000
            )
        durable = False
        try:
            await self._commit.append(packing.records)
            durable = True
        finally:
            self._count(packing, durable)

    def key_ring(self) -> KeyRing:
        """The pseudonym keys as they are now. Raises Misconfigured."""
        return load_key_ring(self._ports.secrets.get(SECRET))

    def _count(self, packing: Packing, durable: bool) -> None:
        received = packing.accepted + len(packing.rejected)
        self._meter.count(events_in=received, events_out=packing.accepted if durable else 0)

    def _packing(self) -> Packer:
        if self._packer is None:
            self._packer = Packer(
                Disguise(self.key_ring),
                FanOuts(self._ports.table(TABLE), self._ports.clock).of,
                chunk_events=self._settings.chunk_events,
                max_age_ms=self._settings.max_age_seconds * 1_000,
                max_ahead_ms=self._settings.max_ahead_seconds * 1_000,
            )
        return self._packer


def _identity(source: str, batch_id: str | None, data: bytes, volatile: str | None) -> bytes:
    if not batch_id:
        return os.urandom(16)
    if len(batch_id.encode()) > MAX_ID_BYTES:
        raise InvalidInput(f"batch_id is over {MAX_ID_BYTES} bytes; a UUID does", reason="too-long")
    return identity_of(source, batch_id, digest_of(data, volatile))
