"""What is said between who asks for a rebuild and who does it."""

from typing import Final

REBUILD_QUEUE: Final = "rebuild"
REBUILD_ORDER: Final = b'{"do":"rebuild"}'
"""To look through the dead letters beyond the horizon once."""
