"""Drift: what can be simulated, and what is said of it.  How it is found: `martingale`."""

from enum import StrEnum


class SimulatedDrift(StrEnum):
    """Drift to simulate in test traffic. CLASS_MIX leaves images unchanged and sends mostly one class."""

    NONE = "none"
    DARK = "dark"
    NOISE = "noise"
    BLUR = "blur"
    CLASS_MIX = "class-mix"


class DriftLevel(StrEnum):
    UNKNOWN = "not enough inferences"
    NONE = "no drift"
    DRIFT = "drift"
