"""Which sections of a description share the one transport there is (RFC 9143), and which one stands for it."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple, Self

from zwerm.webrtc.connection.description import data_medium
from zwerm.webrtc.ice.credentials import Credentials
from zwerm.webrtc.jsep.sections import is_rtp, mid_of
from zwerm.webrtc.jsep.signaling import Description, TransportSection
from zwerm.webrtc.sdp.description import MediaDescription, SessionDescription


class Grouping(NamedTuple):
    """The sections that can be used together."""

    mids: tuple[str, ...]  # in the order of the BUNDLE group; the first one's transport is used
    is_bundle: bool
    tagged: MediaDescription | None  # it describes the transport; None where nothing can be used
    place: int  # of the tagged section

    @classmethod
    def of(cls, description: SessionDescription, refused: Collection[str] = ()) -> Self:
        """Choose: the group of the data channels, else any group, else the first section.

        `refused` are mids that are not used although they could be.
        """
        data = data_medium(description)
        data_mid = None
        usable: dict[str, int] = {}
        for index, medium in enumerate(description.media):
            mid = mid_of(medium, index)
            if medium is data:
                data_mid = mid
            if mid not in refused and (medium is data or (is_rtp(medium) and not medium.is_rejected)):
                usable[mid] = index
        bundle = tuple(mid for mid in description.bundle if mid in usable)
        is_bundle = bool(bundle) and (data_mid not in usable or data_mid in bundle)
        alone = data_mid if data_mid in usable else next(iter(usable), None)
        mids = bundle if is_bundle else (() if alone is None else (alone,))
        if not mids:
            return cls((), is_bundle=False, tagged=None, place=0)
        index = usable[mids[0]]
        return cls(mids, is_bundle, description.media[index], index)


def describe(kind: str, sdp: str, parsed: SessionDescription) -> Description:
    """A description with the section that stands for its transport.

    Raises:
        WireError: that section's ICE credentials are malformed.
    """
    grouping = Grouping.of(parsed)
    ice = None if grouping.tagged is None else grouping.tagged.effective_ice
    transport = None if ice is None else TransportSection(grouping.mids[0], grouping.place, Credentials.parse(*ice))
    return Description(kind, sdp, parsed, transport)
