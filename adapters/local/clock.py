"""The machine's clock."""

import time


class SystemClock:
    """`shared.ports.Clock` on this machine's wall clock."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000
