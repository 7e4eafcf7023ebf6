"""Content paths: `/ipfs/CID/a/b`, `/ipns/NAME/a/b`, their `ipfs://` forms and a bare `CID/a/b`.

The text is taken as it stands: whoever has a URL decodes its percent signs first. Several slashes count as one and
one at the end as none, as in Kubo. The segments `.` and `..` are refused, because whether they walk or name
something differs between the programs a path passes through.
"""

from __future__ import annotations

import dataclasses
import re
from typing import Final, Literal, Self

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.multiformats.cid import CID

MAX_TEXT: Final = 32_768  # characters
MAX_SEGMENTS: Final = 1_024

Namespace = Literal["ipfs", "ipns"]

_IPNS_NAME: Final = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9_.])?")


@dataclasses.dataclass(frozen=True, slots=True)
class ContentPath:
    """Where to start and which names to follow. `str()` gives the canonical `/ipfs/...` or `/ipns/...` text."""

    namespace: Namespace
    root: str  # text of the CID, as given; or the IPNS name: a key or a domain
    segments: tuple[str, ...] = ()
    cid: CID | None = None  # what `root` says in the ipfs namespace; None in ipns

    @classmethod
    def of(cls, cid: CID, *segments: str) -> Self:
        """Make a path from a CID and the names below it."""
        return cls("ipfs", str(cid), _checked(segments), cid)

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read the path a person or a peer gave.

        Raises:
            WireError: not a content path; the message says what is wrong with it.
        """
        if len(text) > MAX_TEXT:
            raise WireError(f"path of {len(text)} characters, expected at most {MAX_TEXT}")
        namespace, rest = _split_namespace(text)
        root, *segments = [segment for segment in rest.split("/") if segment] or [""]
        if not root:
            raise WireError(f"path {text!r} names no content")
        checked = _checked(segments)
        if namespace == "ipfs":
            return cls("ipfs", root, checked, CID.from_text(root))
        if not _IPNS_NAME.fullmatch(root):
            raise WireError(f"{root[:64]!r} is not an IPNS name: a key or a domain")
        return cls("ipns", root, checked)

    def child(self, *names: str) -> Self:
        """Return the path with `names` after it."""
        return dataclasses.replace(self, segments=self.segments + _checked(names))

    @property
    def parent(self) -> Self:
        """The path without its last segment; a LocalProtocolError at the root."""
        if not self.segments:
            raise LocalProtocolError(f"{self} has no parent")
        return dataclasses.replace(self, segments=self.segments[:-1])

    @property
    def name(self) -> str:
        """The last segment, or the root when there is none."""
        return self.segments[-1] if self.segments else self.root

    def __str__(self) -> str:
        return "/".join(("", self.namespace, self.root, *self.segments))


def _split_namespace(text: str) -> tuple[Namespace, str]:
    for namespace in ("ipfs", "ipns"):
        for prefix in (f"/{namespace}/", f"{namespace}://"):
            if text.startswith(prefix):
                return namespace, text[len(prefix) :]
    if text.startswith("/") or "://" in text:
        raise WireError(f"path {text[:64]!r}, expected /ipfs/CID, /ipns/NAME or a CID in front")
    return "ipfs", text


def _checked(segments: tuple[str, ...] | list[str]) -> tuple[str, ...]:
    if len(segments) > MAX_SEGMENTS:
        raise WireError(f"path of {len(segments)} segments, expected at most {MAX_SEGMENTS}")
    for segment in segments:
        if segment in {".", ".."} or "/" in segment or not segment:
            raise WireError(f"path segment {segment[:64]!r} is no name")
    return tuple(segments)
