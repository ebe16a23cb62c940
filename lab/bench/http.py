"""Through HTTP on this machine: how fast, and how soon an event is seen. Sender and suite share its cores."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from statistics import quantiles
from time import monotonic, sleep, time

import httpx

from lab.bench.client import ACCEPTED, LiveBodies
from lab.bench.figure import Figure
from lab.bench.served import Served, suite, uvicorn

BODY_EVENTS = 100
BODY_VIEWERS = 25
CONTENTS = 10
CONNECTIONS = 8
OFFERED = 50_000
OFFERED_SECONDS = 20
FLOOD_SECONDS = 10
CATCH_UP_SECONDS = 60
PROBE_EVERY = 0.1
POLL_EVERY = 0.02
POSTS = 3_000
ROUNDS = 3


def figures() -> list[Figure]:
    """A steady load with probes, a flood, and one post's cost against a raw ASGI app's."""
    with suite() as served:
        accepted, seen = steady(served)
        reached = accepted / OFFERED_SECONDS
        flooded, pace, lost = flood(served)
    p50, p99 = percentiles(seen)
    where = (
        f"{OFFERED:,} events/s offered in bodies of {BODY_EVENTS}; a new content's first event, {len(seen)} probes"
    )
    return [
        Figure(
            "accepted while 50,000/s are offered", reached, "events/s", OFFERED * 0.99, "1% is the pace's own error"
        ),
        Figure("event to audience/now, p50", p50, "s", note=where),
        Figure("event to audience/now, p99", p99, "s", 2, where, at_most=True),
        Figure("accepted when flooded", flooded, "events/s", note=f"{CONNECTIONS} connections, {FLOOD_SECONDS} s"),
        Figure("counted when flooded", pace, "events/s", note="until the last accepted event is counted"),
        Figure("accepted and not counted", lost, "events", 0, f"within {CATCH_UP_SECONDS} s", at_most=True),
        post_ratio(),
    ]


def steady(served: Served) -> tuple[int, list[float]]:
    """Events accepted while OFFERED a second are offered, and the seconds after which each probe was seen."""
    with ThreadPoolExecutor(CONNECTIONS + 1) as pool:
        senders = [pool.submit(paced, served, number) for number in range(CONNECTIONS)]
        probes = pool.submit(probe, served)
        return sum(sender.result() for sender in senders), probes.result()


def paced(served: Served, number: int) -> int:
    """One connection's share of the steady load: a body each period, those that are late at once."""
    period = BODY_EVENTS * CONNECTIONS / OFFERED
    connection, posted = served.connect(), iter(LiveBodies(BODY_EVENTS, BODY_VIEWERS, CONTENTS))
    started, accepted = monotonic() + number * period / CONNECTIONS, 0
    for turn in range(int(OFFERED_SECONDS / period)):
        sleep(max(0.0, started + turn * period - monotonic()))
        if monotonic() > started + OFFERED_SECONDS:
            break
        accepted += BODY_EVENTS * (connection.post(next(posted)) == ACCEPTED)
    connection.close()
    return accepted


def probe(served: Served) -> list[float]:
    """Seconds from an event's own timestamp until `audience/now` of its content, asked again and again, has it."""
    seen: list[float] = []
    ends = monotonic() + OFFERED_SECONDS
    with httpx.Client(base_url=served.url) as client:
        while monotonic() < ends:
            content, at = f"probe-{len(seen)}", time()
            event = {"event_type": "join", "event_timestamp": int(at * 1000), "content_id": content, "viewer_id": "p"}
            client.post("/v1/events", json=[event]).raise_for_status()
            while client.get(f"/v1/contents/{content}/audience/now").status_code != httpx.codes.OK:
                sleep(POLL_EVERY)
            seen.append(time() - at)
            sleep(PROBE_EVERY)
    return seen


def flood(served: Served) -> tuple[float, float, int]:
    """Events a second that are accepted, and that are counted, when nobody waits; and how many never were."""
    before, started = counted(served), monotonic()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        accepted = sum(pool.map(lambda _: unpaced(served), range(CONNECTIONS)))
    taken = monotonic() - started
    while counted(served) - before < accepted and monotonic() - started < taken + CATCH_UP_SECONDS:
        sleep(0.2)
    reached = counted(served) - before
    return accepted / taken, reached / (monotonic() - started), accepted - reached


def unpaced(served: Served) -> int:
    """What one connection gets accepted in FLOOD_SECONDS."""
    connection, ends, accepted = served.connect(), monotonic() + FLOOD_SECONDS, 0
    for body in LiveBodies(BODY_EVENTS, BODY_VIEWERS, CONTENTS):
        if monotonic() > ends:
            break
        accepted += BODY_EVENTS * (connection.post(body) == ACCEPTED)
    connection.close()
    return accepted


def counted(served: Served) -> int:
    answer = httpx.get(f"{served.url}/v1/completeness", timeout=60).raise_for_status().json()
    return int(answer["counted"])


def post_ratio() -> Figure:
    """The server's CPU time of one post: the raw app's over the suite's, each with a server of its own."""
    with uvicorn("lab.bench.asgi:raw") as raw, uvicorn("lab.bench.asgi:ingest_app", "--factory") as app:
        costs = [[cpu_of_posts(served) for _ in range(ROUNDS)] for served in (raw, app)]
    note = f"CPU time of {BODY_EVENTS}-event posts; the stream discards"
    return Figure("POST ÷ raw ASGI that only decodes", min(costs[0]) / min(costs[1]), "ratio", 0.7, note)


def cpu_of_posts(served: Served) -> float:
    """The server's CPU seconds for POSTS posts that come by all connections at once."""
    before = served.cpu_seconds()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(lambda _: posts(served, POSTS // CONNECTIONS), range(CONNECTIONS)))
    return served.cpu_seconds() - before


def posts(served: Served, number: int) -> None:
    """Post so many bodies, one after the other. Raises RuntimeError when one is refused."""
    connection = served.connect()
    for _, body in zip(range(number), LiveBodies(BODY_EVENTS, BODY_VIEWERS, CONTENTS), strict=False):
        if connection.post(body) != ACCEPTED:
            raise RuntimeError("a post was refused")
    connection.close()


def percentiles(seconds: Sequence[float]) -> tuple[float, float]:
    """The 50th and the 99th."""
    cut = quantiles(seconds, n=100, method="inclusive")
    return cut[49], cut[98]
