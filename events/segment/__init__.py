"""Segment's HTTP tracking API: its Video spec as our events, its identify calls as viewer attributes."""

from events.segment.calls import KINDS, MAX_BATCH_BYTES, SegmentCall, decode, write_key_of
from events.segment.traits import Identify

__all__ = ["KINDS", "MAX_BATCH_BYTES", "Identify", "SegmentCall", "decode", "write_key_of"]
