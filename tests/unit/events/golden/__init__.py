"""Bodies as senders write them, one file a source."""

from pathlib import Path


def golden(name: str) -> str:
    """The text of one sample."""
    return (Path(__file__).parent / name).read_text()
