"""How the benchmarks take times: interleaved, and the best of several rounds, since other work only ever adds."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from time import perf_counter
from typing import Any

ROUNDS = 5


def best_seconds(works: Sequence[Callable[[], object]], rounds: int = ROUNDS) -> list[float]:
    """Each work's quickest round. The works take turns, so that a slow spell of the machine meets all of them."""
    best = [float("inf")] * len(works)
    for _ in range(rounds):
        for index, work in enumerate(works):
            started = perf_counter()
            work()
            best[index] = min(best[index], perf_counter() - started)
    return best


def discard(function: Callable[[Any], object], items: Iterable[Any]) -> None:
    """Call the function with each item and let go of each result at once, as a handler does."""
    deque(map(function, items), maxlen=0)
