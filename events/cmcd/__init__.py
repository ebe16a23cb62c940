"""CMCD (Common Media Client Data, CTA-5004 versions 1 and 2): what players report of themselves, as our events."""

from events.cmcd.mapping import CmcdContext
from events.cmcd.transports import MEDIA_TYPE, from_event_lines, from_headers, from_json, from_query

__all__ = ["MEDIA_TYPE", "CmcdContext", "from_event_lines", "from_headers", "from_json", "from_query"]
