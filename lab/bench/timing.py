"""How the benchmarks take times: interleaved, and the best of several rounds, since other work only ever adds."""

from collections.abc import Callable, Sequence
from time import perf_counter

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
