"""What is kept: pins, and the collector that removes everything else."""

from zwerm.ipfs.pins.collector import Collector, Phase, Progress
from zwerm.ipfs.pins.pin import BadNode, NotPinned, Pin, PinConflict, PinKind, PinStatus
from zwerm.ipfs.pins.pins import Pins

__all__ = [
    "BadNode",
    "Collector",
    "NotPinned",
    "Phase",
    "Pin",
    "PinConflict",
    "PinKind",
    "PinStatus",
    "Pins",
    "Progress",
]
