"""Who watches: devices, countries, tiers, ages, networks, in believable shares."""

from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray

DEVICES: Final = (
    ("smart_tv", 0.38),
    ("mobile", 0.30),
    ("desktop", 0.14),
    ("tablet", 0.08),
    ("set_top_box", 0.07),
    ("console", 0.03),
)
COUNTRIES: Final = (
    ("DE", 0.22),
    ("GB", 0.18),
    ("ES", 0.14),
    ("FR", 0.12),
    ("IT", 0.10),
    ("BR", 0.08),
    ("US", 0.06),
    ("NL", 0.04),
    ("PL", 0.03),
    ("JP", 0.01),
    ("IN", 0.01),
    ("NG", 0.01),
)
TIERS: Final = (("free", 0.45), ("basic", 0.33), ("premium", 0.22))
AGE_GROUPS: Final = (("18-24", 0.20), ("25-34", 0.28), ("35-44", 0.22), ("45-54", 0.17), ("55+", 0.13))
NETWORKS: Final = ("excellent", "good", "fair", "poor")
LADDER: Final = (
    ("240p", 400),
    ("360p", 800),
    ("480p", 1400),
    ("720p", 3000),
    ("1080p", 6000),
    ("2160p", 15000),
)
"""Quality level and its bitrate in kbit/s."""

_NETWORK_OF_DEVICE: Final = {
    "smart_tv": (0.55, 0.33, 0.10, 0.02),
    "mobile": (0.20, 0.40, 0.28, 0.12),
    "desktop": (0.45, 0.40, 0.12, 0.03),
    "tablet": (0.35, 0.43, 0.17, 0.05),
    "set_top_box": (0.60, 0.32, 0.07, 0.01),
    "console": (0.60, 0.32, 0.07, 0.01),
}
_BEST_RUNG_OF_DEVICE: Final = {"smart_tv": 5, "mobile": 3, "desktop": 4, "tablet": 3, "set_top_box": 5, "console": 5}
_BEST_RUNG_OF_NETWORK: Final = (5, 4, 2, 1)

PROFILES: Final = tuple(product(DEVICES, COUNTRIES, TIERS, AGE_GROUPS))
"""Every combination; a viewer's profile is an index here."""

_PER_DEVICE: Final = len(PROFILES) // len(DEVICES)

SKEWS: Final = 256


def profiles(n: int, rng: np.random.Generator) -> NDArray[np.uint16]:
    """A profile for each of n viewers, by the shares above."""
    weight = np.array([np.prod([share for _, share in profile]) for profile in PROFILES])
    drawn = np.searchsorted(np.cumsum(weight / weight.sum())[:-1], rng.random(n, dtype=np.float32), side="right")
    return drawn.astype(np.uint16)


def networks(profile: NDArray[np.uint16], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Each viewer's network quality to begin with: an index into NETWORKS, by device."""
    share = np.cumsum([_NETWORK_OF_DEVICE[name] for name, _ in DEVICES], axis=1).astype(np.float32)
    device = profile // _PER_DEVICE
    drawn = rng.random(len(profile), dtype=np.float32)
    network = np.zeros(len(profile), np.uint8)
    for worse in range(len(NETWORKS) - 1):
        network += drawn >= share[device, worse]
    return network


def rungs() -> NDArray[np.uint8]:
    """[profile, network] → the rung of the ladder that the device shows and the network carries."""
    device = np.array([_BEST_RUNG_OF_DEVICE[profile[0][0]] for profile in PROFILES], np.uint8)
    return np.minimum(device[:, None], np.array(_BEST_RUNG_OF_NETWORK, np.uint8)[None, :])


def skews(rng: np.random.Generator) -> NDArray[np.int16]:
    """Clock errors that nobody knows of, in ms: one viewer in ten is off by up to 0.4 s."""
    off = rng.integers(-400, 401, SKEWS, dtype=np.int16)
    off[rng.random(SKEWS) >= 0.1] = 0
    return off


def clock_offsets(senders: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Clock errors that the sender knows and tells, in ms: every fourth sender is off by up to 90 s."""
    off = rng.integers(-90_000, 90_001, senders)
    off[np.arange(senders) % 4 != 1] = 0
    return off
