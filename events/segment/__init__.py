"""Segment's HTTP tracking API: its Video spec as our events, its identify calls as viewer attributes."""

from events.segment.calls import KINDS, SegmentCall, decode
from events.segment.traits import Identify

__all__ = ["KINDS", "Identify", "SegmentCall", "decode"]
