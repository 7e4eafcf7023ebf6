"""git-raw: Git objects by the SHA-1 that Git itself gives them (gitformat-pack; the model of go-ipld-git).

An object is what Git hashes: its type, its size, a zero byte and its content, uncompressed. In the model a commit is a
map with links to its tree and parents, a tree a map from names to mode and link, a tag a map with a link to its object,
a blob its own bytes, header included.

Objects are read here and not written. Text that is not UTF-8 is shown with replacement characters.
"""

from __future__ import annotations

from typing import Any, Final

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.ipfs.ipld.data_model import links_in
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

_SHA1_SIZE: Final = 20
_SHA1_PREFIX: Final = bytes([multicodec.SHA1, _SHA1_SIZE])
_MAX_SIZE_DIGITS: Final = 12
_MAX_LINES: Final = 65_536  # of headers


def decode(data: bytes) -> Any:
    """Read an untrusted object.

    Raises:
        WireError: no Git object, or one of another size than it says.
    """
    head, zero, content = data[:32].partition(b"\0")
    kind, space, size = head.partition(b" ")
    if not zero or not space or not size.isdigit() or len(size) > _MAX_SIZE_DIGITS:
        raise WireError(f"{data[:32]!r} is not how a Git object begins")
    content = data[len(head) + 1 :]
    if int(size) != len(content):
        raise WireError(f"Git object of {len(content)} bytes, it says {int(size)}")
    if kind == b"blob":
        return bytes(data)
    if kind == b"tree":
        return _tree(content)
    if kind == b"commit":
        return _commit(content)
    if kind == b"tag":
        return _tag(content)
    raise WireError(f"Git object of type {kind[:16]!r}, expected blob, tree, commit or tag")


def encode(value: Any) -> bytes:
    """Refuse: objects are read only."""
    raise LocalProtocolError(f"git-raw is read here, not written; {type(value).__name__} cannot become a Git object")


def links(data: bytes) -> list[CID]:
    """Return the links of an untrusted object in order; those of submodules lead to other repositories."""
    return links_in(decode(data))


def _tree(content: bytes) -> dict[str, Any]:
    entries: dict[str, Any] = {}
    position = 0
    while position < len(content):
        space = content.find(b" ", position, position + 8)
        zero = content.find(b"\0", position)
        end = zero + 1 + _SHA1_SIZE
        if space < 0 or zero < space or end > len(content):
            raise WireError("Git tree entry cut short")
        name = _text(content[space + 1 : zero])
        if name in entries:
            raise WireError(f"Git tree with {name[:64]!r} twice")
        entries[name] = {"mode": _text(content[position:space]), "hash": _link(content[zero + 1 : end])}
        position = end
    return entries


def _commit(content: bytes) -> dict[str, Any]:
    fields, message = _fields(content)
    commit: dict[str, Any] = {"parents": [], "mergetag": [], "other": [], "message": _text(message)}
    for key, value in fields:
        if key == b"parent":
            commit["parents"].append(_hex_link(value))
        elif key == b"mergetag":
            commit["mergetag"].append(_tag(value))
        elif key == b"tree" and "tree" not in commit:
            commit["tree"] = _hex_link(value)
        elif key in {b"author", b"committer"} and key.decode() not in commit:
            commit[key.decode()] = _person(value)
        elif key == b"encoding":
            commit["encoding"] = _text(value)
        elif key == b"gpgsig":
            commit["signature"] = _text(value)
        else:
            commit["other"].append(_text(key + b" " + value))
    if "tree" not in commit:
        raise WireError("Git commit without a tree")
    return commit


def _tag(content: bytes) -> dict[str, Any]:
    fields, message = _fields(content)
    values = dict(fields)
    if b"object" not in values:
        raise WireError("Git tag without an object")
    return {
        "object": _hex_link(values[b"object"]),
        "type": _text(values.get(b"type", b"")),
        "tag": _text(values.get(b"tag", b"")),
        "tagger": _person(values.get(b"tagger", b"")),
        "message": _text(message),
    }


def _fields(content: bytes) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Split the headers, whose continuation lines begin with a space, from the message after the empty line."""
    head, _, message = content.partition(b"\n\n") if not content.startswith(b"\n") else (b"", b"", content[1:])
    if head.count(b"\n") > _MAX_LINES:
        raise WireError(f"Git object with more than {_MAX_LINES} lines of headers")
    fields: list[tuple[bytes, bytes]] = []
    for line in head.replace(b"\n ", b"\0").split(b"\n"):
        key, space, value = line.partition(b" ")
        if line and not space:
            raise WireError(f"Git header {line[:64]!r} without a value")
        if line:
            fields.append((key, value.replace(b"\0", b"\n")))
    return fields, message


def _person(value: bytes) -> dict[str, str]:
    """Split `Name <email> seconds zone`; what is not there is empty."""
    name, _, rest = value.partition(b"<")
    email, _, when = rest.rpartition(b">") if b">" in rest else (rest, b"", b"")
    date, _, zone = when.strip().partition(b" ")
    return {"name": _text(name.strip()), "email": _text(email), "date": _text(date), "timezone": _text(zone)}


def _hex_link(value: bytes) -> CID:
    try:
        digest = bytes.fromhex(value.decode("ascii"))
    except ValueError:
        raise WireError(f"Git object name {value[:64]!r} is not hex") from None
    if len(digest) != _SHA1_SIZE:
        raise WireError(f"Git object name of {len(digest)} bytes, expected {_SHA1_SIZE}")
    return _link(digest)


def _link(digest: bytes) -> CID:
    return CID(1, multicodec.GIT_RAW, _SHA1_PREFIX + digest)


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")
