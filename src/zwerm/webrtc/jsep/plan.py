"""Which sections the next offer has, and where (RFC 9429 sections 5.2.1 and 5.2.2)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from zwerm.webrtc.jsep.sections import Slot
from zwerm.webrtc.jsep.transceiver import Transceiver


class Planned(NamedTuple):
    """A section that is to be written."""

    mid: str
    slot: Slot | None  # that it takes; None: it is appended
    transceiver: Transceiver | None = None  # None: it is of data channels
    is_rejected: bool = False

    @property
    def is_new(self) -> bool:
        """It was never agreed on under this name."""
        return self.slot is None or self.slot.mid != self.mid


def plan_sections(
    slots: Sequence[Slot], transceivers: Sequence[Transceiver], *, wants_data: bool, may_recycle: bool
) -> Iterator[Planned]:
    """Keep every place, fill those that are free with what is new, and append the rest; data channels come last.

    `may_recycle` says that what is refused in `slots` is refused by both sides.
    """
    waiting = iter([one for one in transceivers if one.mid is None and not one.is_stopping])
    by_mid = {one.mid: one for one in transceivers if one.mid is not None}
    taken = {slot.mid for slot in slots} | set(by_mid)
    fresh = (mid for mid in map(str, itertools.count()) if mid not in taken)
    has_data = False
    for slot in slots:
        if slot.is_data:
            is_live = not has_data and (wants_data or not slot.is_rejected)
            has_data |= is_live
            yield Planned(slot.mid, slot, is_rejected=not is_live)
            continue
        one = by_mid.get(slot.mid)
        if one is not None and not one.is_stopping:
            yield Planned(slot.mid, slot, one)
        elif slot.is_rejected and may_recycle and (new := next(waiting, None)) is not None:
            yield Planned(next(fresh), slot, new)
        else:
            yield Planned(slot.mid, slot, is_rejected=True)
    for one in waiting:
        yield Planned(next(fresh), None, one)
    if wants_data and not has_data:
        yield Planned(next(fresh), None)
