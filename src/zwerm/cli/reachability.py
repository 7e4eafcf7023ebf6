"""What `zwerm doctor PATH` says: whether others can get it from this node now, and what to do if not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from zwerm.cli.checkup import Finding, Verdict

if TYPE_CHECKING:
    from zwerm.cli.session import Session

_START: Final = "start it with `zwerm up`"
_OPEN: Final = "let your router forward the port of addresses.swarm to this machine, or name a relay in relay.through"

# What is wrong, and what to do.
_REASONS: Final[dict[str, tuple[str, str]]] = {
    "offline": ("no: the node is on no network now", _START),
    "missing": ("no: it is not here", "get it first, with `zwerm pin add`"),
    "alone": (
        "no: this node knows no other one, so nobody can be told",
        "name a peer in bootstrap, or connect to one with `zwerm swarm connect`",
    ),
    "untold": (
        "no: others are not told what is here",
        "set provide.strategy to all, and routing.dht to auto",
    ),
    "listed": (
        "no: others are told of pinned roots only, and this is none",
        "`zwerm pin add` it, or set provide.strategy to all",
    ),
    "near": ("only from this network: no address of this node is public", _OPEN),
    "closed": ("no: other nodes tried the addresses of this one, and none led here", _OPEN),
    "pending": ("in a moment: others are being told", ""),
    "unsure": ("perhaps: no other node has said yet whether an address leads here", "ask again in a few minutes"),
    "relayed": ("yes, through a relay", ""),
    "reachable": ("yes", ""),
}
_GOOD: Final = ("reachable", "relayed")
_OPEN_YET: Final = ("pending", "unsure")


def reach_findings(session: Session, path: str) -> Iterator[Finding]:
    """Say of one thing how it stands: the verdict last."""
    found = session.document("diag/reach", [path])
    cid = found["Cid"]
    yield Finding("content", _good(found["Here"]), f"{cid} is {'' if found['Here'] else 'not '}here")
    standing = found["Standing"]
    if standing not in ("offline", "missing"):
        told = "yes" if found["Told"] else "in a moment" if found["Pending"] else "no"
        yield Finding("told others", _good(found["Told"] or None if found["Pending"] else found["Told"]), told)
        yield Finding("known nodes", _good(bool(found["Peers"] + found["Servers"])), _nodes(found))
        for address in found["Addresses"]:
            yield Finding(
                "address", Verdict.ODD if _reachable(address) is None else _good(_reachable(address)), _line(address)
            )
        if not found["Addresses"]:
            yield Finding("address", Verdict.BAD, "this node listens nowhere", "see the setting addresses.swarm")
    words, advice = _REASONS[standing]
    verdict = Verdict.GOOD if standing in _GOOD else Verdict.ODD if standing in _OPEN_YET else Verdict.BAD
    yield Finding("reachable", verdict, words, advice)


def _good(good: bool | None) -> Verdict:
    return Verdict.ODD if good is None else Verdict.GOOD if good else Verdict.BAD


def _nodes(found: dict[str, Any]) -> str:
    peers, servers = found["Peers"], found["Servers"]
    return f"{peers} connected, {servers} of the DHT"


def _reachable(address: dict[str, Any]) -> bool | None:
    """Whether an address counts; what is near is neither good nor bad."""
    if address["Near"]:
        return None
    return True if address["Relayed"] else address["Reachable"]


def _line(address: dict[str, Any]) -> str:
    if address["Near"]:
        said = "this network only"
    elif address["Relayed"]:
        said = "through a relay"
    elif address["Reachable"] is None:
        said = "nobody has said whether it leads here"
    else:
        said = "others reach it" if address["Reachable"] else "others tried it in vain"
    return f"{address['Address'].partition('/p2p/')[0] if not address['Relayed'] else address['Address']}: {said}"
