"""What is kept: pins, and the collector that removes everything else.

What the package offers is imported when it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zwerm.core import lazy

if TYPE_CHECKING:
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

__getattr__ = lazy.attributes(
    __name__,
    {
        "Collector": "collector",
        "Phase": "collector",
        "Progress": "collector",
        "BadNode": "pin",
        "NotPinned": "pin",
        "Pin": "pin",
        "PinConflict": "pin",
        "PinKind": "pin",
        "PinStatus": "pin",
        "Pins": "pins",
    },
)
