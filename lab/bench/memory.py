"""What `grandstand serve` holds in memory, at rest and while it works."""

from concurrent.futures import ThreadPoolExecutor
from time import sleep

from lab.bench.figure import Figure
from lab.bench.http import CONNECTIONS, OFFERED, OFFERED_SECONDS, paced
from lab.bench.served import suite

REST_SECONDS = 5


def figures() -> list[Figure]:
    """Resident memory of all its processes: at rest, the most under a steady load, and after it."""
    with suite() as served, ThreadPoolExecutor(CONNECTIONS) as pool:
        sleep(REST_SECONDS)
        rest = served.resident_mb()
        senders = [pool.submit(paced, served, number) for number in range(CONNECTIONS)]
        most = rest
        while not all(sender.done() for sender in senders):
            most = max(most, served.resident_mb())
            sleep(0.5)
        sleep(REST_SECONDS)
        after = served.resident_mb()
    load = f"the most in {OFFERED_SECONDS} s of {OFFERED:,} events/s"
    return [
        Figure("serve at rest", rest, "MB", note="resident, all processes"),
        Figure("serve under load", most, "MB", note=load),
        Figure("serve after the load", after, "MB"),
    ]
