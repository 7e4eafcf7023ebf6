"""A commit: one version of a tree, a dag-cbor block signed by whoever made it (specified in `docs/versions.md`).

Reading checks form only, so that a chain can be shown whoever signed it; `signed_by_author` checks the signature.
Fields that are not known here are kept, and covered by the signature as all others.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Final, Self

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.identity.keys import PrivateKey, PublicKey
from zwerm.identity.peer_id import PeerId
from zwerm.ipfs.block import Block
from zwerm.ipfs.ipld import dag_cbor
from zwerm.ipfs.mfs.journal import ChangeKind, Graft, Touch
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

TYPE: Final = "zwerm/commit"
CONTEXT: Final = b"zwerm/commit:"  # in front of what is signed, so that no other signature of the key can pass for it

MAX_SIZE: Final = 65_536  # bytes of a commit of others
MAX_PARENTS: Final = 16
MAX_GRAFTS: Final = 64
MAX_CHANGES: Final = 1_024
MAX_MESSAGE: Final = 8_192  # characters
MAX_PATH: Final = 32_768  # characters
MAX_TIME: Final = 2**53 - 1  # milliseconds; what every JSON reader holds exactly
MAX_KEY: Final = 8_192  # bytes
MAX_SIGNATURE: Final = 2_048  # bytes; RSA of 8,192 bits takes 1,024

OWN_SIZE: Final = 4_096  # bytes; a commit of ours lists only as many changes as fit
OWN_MESSAGE: Final = 2_000  # bytes of a message of ours

_SIGNATURE_ROOM: Final = 600  # bytes; Ed25519 takes 76, RSA of 4,096 bits 525
_CHANGE_ROOM: Final = 40  # bytes of a listed change besides its paths

_REQUIRED: Final = ("author", "changes", "message", "parents", "root", "signature", "time", "type")
_KINDS: Final = {kind.value: kind for kind in ChangeKind}


@dataclasses.dataclass(frozen=True, slots=True)
class Commit:
    """A commit, its form checked."""

    root: CID  # the tree: a UnixFS directory, or a file
    parents: tuple[CID, ...]  # the version before first; none: this is where the history begins
    time: int  # milliseconds since 1970, by the author's clock
    author: bytes  # libp2p `PublicKey` message
    message: str  # empty: none was given
    changes: tuple[Touch, ...]  # what the author says was done, paths within the root
    omitted: int  # changes that are not listed
    grafts: tuple[Graft, ...]  # paths whose past is another chain
    signature: bytes
    extra: Mapping[str, Any] = dataclasses.field(default_factory=dict)  # fields that are not known here

    @classmethod
    def sign(
        cls,
        key: PrivateKey,
        *,
        root: CID,
        parents: Sequence[CID],
        time: int,
        message: str = "",
        changes: Sequence[Touch] = (),
        omitted: int = 0,
        grafts: Sequence[Graft] = (),
    ) -> Self:
        """Make a commit of our own; changes that do not fit into `OWN_SIZE` are counted in `omitted`.

        Raises:
            LocalProtocolError: a message that is too long, or anything that a reader would refuse.
        """
        if not _is_text(message) or len(message.encode()) > OWN_MESSAGE:
            raise LocalProtocolError(
                f"message of {len(message)} characters, expected at most {OWN_MESSAGE} bytes of UTF-8"
            )
        author = key.public.serialize()
        commit = cls(root, tuple(parents), time, author, message, (), len(changes) + omitted, tuple(grafts), b"")
        room = OWN_SIZE - len(commit.signed_bytes()) - _SIGNATURE_ROOM
        listed: list[Touch] = []
        for change in changes[:MAX_CHANGES]:
            texts = (change.path, change.source or "")
            room -= _CHANGE_ROOM + sum(len(text.encode("utf-8", "replace")) for text in texts)
            if room < 0 or not all(map(_is_text, texts)):
                break
            listed.append(change)
        omitted += len(changes) - len(listed)
        commit = dataclasses.replace(commit, changes=tuple(listed), omitted=omitted)
        return dataclasses.replace(commit, signature=key.sign(commit.signed_bytes()))

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read exactly these untrusted bytes.

        Raises:
            WireError: not a commit, or one beyond the limits.
        """
        if len(data) > MAX_SIZE:
            raise WireError(f"commit of {len(data)} bytes, expected at most {MAX_SIZE}")
        document = dag_cbor.decode(data)
        if not isinstance(document, dict) or document.get("type") != TYPE:
            raise WireError(f"no commit: expected a map with the type {TYPE!r}")
        missing = [name for name in _REQUIRED if name not in document]
        if missing:
            raise WireError(f"commit without {', '.join(missing)}")
        known = {*_REQUIRED, "omitted", "grafts"}
        return cls(
            root=_typed(document, "root", CID),
            parents=tuple(_links(document, "parents", MAX_PARENTS)),
            time=_number(document, "time", MAX_TIME),
            author=_bytes(document, "author", MAX_KEY),
            message=_text(document, "message", MAX_MESSAGE),
            changes=tuple(_changes(document)),
            omitted=_omitted(document),
            grafts=tuple(_grafts(document)),
            signature=_bytes(document, "signature", MAX_SIGNATURE),
            extra={name: value for name, value in document.items() if name not in known},
        )

    def to_block(self) -> Block:
        """Return the canonical block."""
        return Block.create(dag_cbor.encode({**self._document(), "signature": self.signature}), multicodec.DAG_CBOR)

    def signed_bytes(self) -> bytes:
        """Return what the signature is over: the document without it, with `CONTEXT` in front."""
        return CONTEXT + dag_cbor.encode(self._document())

    def signed_by_author(self) -> bool:
        """Whether the signature is the author's; False also for a key that cannot be read."""
        try:
            return PublicKey.parse(self.author).verify(self.signature, self.signed_bytes())
        except WireError:
            return False

    def peer_id(self) -> PeerId | None:
        """Return who made it, or None when the author is no key we know."""
        try:
            return PeerId.of(PublicKey.parse(self.author))
        except WireError:
            return None

    def _document(self) -> dict[str, Any]:
        document: dict[str, Any] = {
            **self.extra,
            "type": TYPE,
            "root": self.root,
            "parents": list(self.parents),
            "time": self.time,
            "author": self.author,
            "message": self.message,
            "changes": [
                {"kind": change.kind.value, "path": change.path}
                | ({} if change.source is None else {"from": change.source})
                for change in self.changes
            ],
        }
        if self.omitted:
            document["omitted"] = self.omitted
        if self.grafts:
            document["grafts"] = [{"path": graft.path, "commit": graft.commit} for graft in self.grafts]
        return document


def is_commit(cid: CID) -> bool:
    """Whether a CID can be that of a commit, going by its codec."""
    return cid.codec == multicodec.DAG_CBOR


def _typed(document: Mapping[str, Any], name: str, kind: type) -> Any:
    value = document[name]
    if type(value) is not kind:
        raise WireError(f"commit whose {name} is {type(value).__name__}, expected {kind.__name__}")
    return value


def _number(document: Mapping[str, Any], name: str, largest: int) -> int:
    value: int = _typed(document, name, int)
    if not 0 <= value <= largest:
        raise WireError(f"commit whose {name} is {value}, expected 0 to {largest}")
    return value


def _bytes(document: Mapping[str, Any], name: str, largest: int) -> bytes:
    value: bytes = _typed(document, name, bytes)
    if len(value) > largest:
        raise WireError(f"commit whose {name} has {len(value)} bytes, expected at most {largest}")
    return value


def _text(document: Mapping[str, Any], name: str, longest: int) -> str:
    value: str = _typed(document, name, str)
    if len(value) > longest:
        raise WireError(f"commit whose {name} has {len(value)} characters, expected at most {longest}")
    return value


def _list(document: Mapping[str, Any], name: str, most: int) -> list[Any]:
    value: list[Any] = _typed(document, name, list)
    if len(value) > most:
        raise WireError(f"commit with {len(value)} {name}, expected at most {most}")
    return value


def _links(document: Mapping[str, Any], name: str, most: int) -> list[CID]:
    value = _list(document, name, most)
    for item in value:
        if not isinstance(item, CID) or not is_commit(item):
            raise WireError(f"commit whose {name} hold {str(item)[:80]!r}, expected links to commits")
    return value


def _changes(document: Mapping[str, Any]) -> list[Touch]:
    changes: list[Touch] = []
    for item in _list(document, "changes", MAX_CHANGES):
        if not isinstance(item, dict) or not {"kind", "path"} <= item.keys() <= {"kind", "path", "from"}:
            raise WireError("commit with a change that is not a map of kind, path and maybe from")
        kind = _KINDS.get(_text(item, "kind", 16))
        if kind is None:
            raise WireError(f"commit with a change of kind {item['kind']!r}, expected {', '.join(_KINDS)}")
        source = _text(item, "from", MAX_PATH) if "from" in item else None
        changes.append(Touch(kind, _text(item, "path", MAX_PATH), source))
    return changes


def _omitted(document: Mapping[str, Any]) -> int:
    if "omitted" not in document:
        return 0
    omitted = _number(document, "omitted", MAX_TIME)
    if not omitted:
        raise WireError("commit that says it omits 0 changes, expected no such field")
    return omitted


def _grafts(document: Mapping[str, Any]) -> list[Graft]:
    grafts: list[Graft] = []
    if "grafts" not in document:
        return grafts
    if not document["grafts"]:
        raise WireError("commit with an empty list of grafts, expected no such field")
    for item in _list(document, "grafts", MAX_GRAFTS):
        if not isinstance(item, dict) or item.keys() != {"path", "commit"}:
            raise WireError("commit with a graft that is not a map of path and commit")
        commit: CID = _typed(item, "commit", CID)
        if not is_commit(commit):
            raise WireError(f"commit with a graft of {commit}, expected a commit")
        grafts.append(Graft(_text(item, "path", MAX_PATH), commit))
    return grafts


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
