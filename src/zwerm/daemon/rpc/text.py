"""How peer IDs and times are written for callers (Kubo's `--peerid-base`, `--ipns-base`, Go's RFC 3339)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from zwerm.daemon.rpc.errors import UsageError

if TYPE_CHECKING:
    from zwerm.identity.peer_id import PeerId
    from zwerm.ipfs.unixfs.data import Mtime

NO_TIME: Final = "0001-01-01T00:00:00Z"  # how Go writes the time that was never set


def peer_text(peer_id: PeerId, base: str) -> str:
    """Write a peer ID: `b58mh` the bare multihash, otherwise a CID in that multibase (`b`, `k` or its name)."""
    from zwerm.multiformats.multibase import BASES

    if base == "b58mh":
        return str(peer_id)
    name = next((name for name, row in BASES.items() if base in (name, row.prefix)), None)
    if name is None:
        raise UsageError(f"base {base!r} of peer IDs, expected b58mh or a multibase; see `zwerm cid bases`")
    return peer_id.to_cid().encode(name)


def moment_text(seconds: float) -> str:
    """Write a moment, in seconds since 1970, in UTC and with its fraction."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def time_text(mtime: Mtime | None) -> str:
    """Write a modification time in UTC, with its fraction when it has one; as none, what is beyond the calendar."""
    from datetime import UTC, datetime

    if mtime is None:
        return NO_TIME
    try:
        moment = datetime.fromtimestamp(mtime.seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return NO_TIME
    fraction = f".{mtime.nanoseconds:09}".rstrip("0") if mtime.nanoseconds else ""
    return f"{moment}{fraction}Z"
