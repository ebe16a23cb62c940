"""What is packaged for, by what, and from where: what every step needs to know."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from adapters.packaging.bytecode import Interpreter
from adapters.packaging.cache import Cache
from adapters.packaging.modules import Sources
from adapters.packaging.target import Target

Say = Callable[[str], None]


@dataclass(frozen=True)
class Job:
    """`project`: the checkout. `say` takes each line of progress."""

    target: Target
    python: Interpreter
    project: Path
    cache: Cache
    say: Say

    @cached_property
    def sources(self) -> Sources:
        """The checkout's modules; each is read once."""
        return Sources(self.project)
