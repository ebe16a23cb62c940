"""Where a deployed function begins: functions-framework loads this module and calls `handle`."""

import os
import sys

from adapters.gcp.entry import Deployment, registered
from adapters.gcp.logs import start_logging
from shared.errors import Misconfigured

start_logging()
try:
    handle = registered(Deployment(os.environ).handle)
except Misconfigured as error:
    sys.exit(f"This function cannot start: {error}")
