"""Kubo's commands that are not here, and why: for who types or calls one, and for the reference page."""

from __future__ import annotations

from typing import Final

_GONE: Final = "is gone from Kubo, or going; `dag` and `files` do what it did"
_INSIDE: Final = "is about Kubo's own inside; see `log level`, `diag sys` and /metrics"
_COPIES: Final = "is not offered: the repository always keeps its own copy, so that what was added stays whole"

# By first words, the path as in the URL.
ABSENT: Final[dict[str, str]] = {
    "p2p": "is not offered; `connect` links two machines for files and text",
    "version/check": "is not offered; nobody is told which version runs here",
    "pin/remote": "comes later: this node cannot ask pinning services yet; `pin add` keeps content here",
    "mount": "comes later; `get` writes content to the disk",
    "object": _GONE,
    "tar": _GONE,
    "urlstore": _GONE,
    "filestore": _COPIES,
    "files/chroot": "is not offered; `restore /@VERSION` brings back any state of the tree",
    "diag/datastore": _INSIDE,
    "diag/healthy": "is not offered; GET /health on the RPC's port says whether all is well, and `zwerm doctor`",
    "diag/profile": _INSIDE,
    "repo/fsck": "is gone from Kubo; `repo verify` checks every block",
    "update": "is not offered; update zwerm as you installed it",
}


def why_absent(path: str) -> str | None:
    """Return the sentence about a command of Kubo's that is not here; None for what Kubo does not have either."""
    words = path.split("/")
    for length in range(len(words), 0, -1):
        reason = ABSENT.get("/".join(words[:length]))
        if reason is not None:
            return f"`{' '.join(words[:length])}` {reason}"
    return None
