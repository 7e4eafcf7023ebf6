"""Why a block could not be had: which phase failed, and who was tried."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any, Final

from zwerm.core.errors import NotFoundError
from zwerm.identity.peer_id import PeerId
from zwerm.ipfs.bitswap.session import Session
from zwerm.ipfs.block import BlockNotFound
from zwerm.multiformats.cid import CID

_NAMED: Final = 5  # peers named in a message
_LISTED: Final = 32  # and in each list of who was tried
_REASON: Final = 300  # characters of why a peer was not reached


@dataclasses.dataclass(slots=True)
class Search:
    """What was done to find others for one session."""

    count: int = 0  # searches begun
    providers: dict[PeerId, None] = dataclasses.field(default_factory=dict)  # found
    failures: dict[PeerId, str] = dataclasses.field(default_factory=dict)  # those that could not be reached, and why
    others: list[str] = dataclasses.field(default_factory=list)  # other sources that failed, each with its reason


class FetchFailed(BlockNotFound):
    """The block is not here and could not be fetched."""

    def __init__(
        self, cid: CID, phase: str, message: str, tried: tuple[PeerId, ...] = (), details: tuple[str, ...] = ()
    ) -> None:
        NotFoundError.__init__(self, message)
        self.cid = cid
        self.phase = phase  # "no providers", "dial" or "transfer"
        self.tried = tried
        self.details = details  # a line for each that was tried, and how it ended

    @classmethod
    def of(cls, cid: CID, session: Session[PeerId] | None, search: Search) -> FetchFailed:
        """Say what is known of the failure."""
        tried = tuple(session.tried) if session is not None else ()
        gave = session.shares if session is not None else {}
        reached = [peer for peer in search.providers if peer not in search.failures]
        others = "".join(f"; {reason}" for reason in search.others)
        if gave or reached:
            phase, what = "transfer", f"{_names(gave or reached)} gave no more of it"
        elif search.failures:
            reasons = "; ".join(f"{peer}: {why}" for peer, why in list(search.failures.items())[:_NAMED])
            phase, what = "dial", f"none of its {len(search.failures)} providers could be reached ({reasons})"
        else:
            phase = "no providers"
            what = "no provider was found" if search.count else "nobody else can be asked"
            what += f", and {_names(tried)} had it not" if tried else ", and this node is connected to nobody"
        message = f"block {cid} is not here and could not be fetched: {what}{others}"
        return cls(cid, phase, message, tried, tried_lines(gave, tried, search))


def tried_lines(gave: Iterable[object], asked: Iterable[PeerId], search: Search) -> tuple[str, ...]:
    """Say of everybody who was tried how it ended, a line each."""
    givers = [str(each) for each in gave]
    return (
        *(f"gave a part: {giver}" for giver in givers[:_LISTED]),
        *(f"asked in vain: {peer}" for peer in list(asked)[:_LISTED] if str(peer) not in givers),
        *(f"not reached: {peer}: {why[:_REASON]}" for peer, why in list(search.failures.items())[:_LISTED]),
        *search.others[:_LISTED],
    )


def _names(peers: Any) -> str:
    names = [str(peer) for peer in peers]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
