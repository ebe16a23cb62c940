"""What a host wraps around an endpoint, so that health knows what its function does."""

from dataclasses import replace
from time import perf_counter_ns

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from functions.http.endpoint import Endpoint
from shared.errors import InvalidInput
from shared.health.meter import Meter
from shared.health.metered import told


def metered(endpoint: Endpoint, meter: Meter) -> Endpoint:
    """The endpoint, its requests counted. One fails by our fault, as 5xx says; a caller's mistake is no failure."""
    handle = endpoint.handle

    async def counted(request: Request) -> Response:
        began = perf_counter_ns()
        error: str | None = None
        try:
            response = await handle(request)
            if response.status_code >= 500:
                error = f"{endpoint.path}: answered {response.status_code}"
        except (InvalidInput, ClientDisconnect):
            raise
        except Exception as failure:
            error = f"{endpoint.path}: {told(failure)}"
            raise
        finally:
            meter.add(perf_counter_ns() - began, error)
        return response

    return replace(endpoint, handle=counted)
