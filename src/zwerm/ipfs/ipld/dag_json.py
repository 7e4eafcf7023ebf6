"""dag-json: JSON in which a map with the one key "/" is a link or bytes (ipld.io/specs/codecs/dag-json/spec).

Any order of keys and any spacing is read, as the specification asks of decoders; one form is written.
"""

from __future__ import annotations

import binascii
from typing import Any, Final

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.ipfs.ipld import json_reader, json_writer
from zwerm.ipfs.ipld.data_model import links_in
from zwerm.ipfs.ipld.json_reader import Pairs
from zwerm.multiformats.cid import CID

_SLASH: Final = "/"
_BYTES: Final = "bytes"


def decode(data: bytes) -> Any:
    """Read untrusted text.

    Raises:
        WireError: not JSON, or a map in the reserved namespace that is neither a link nor bytes.
    """
    return json_reader.decode(data, _build)


def encode(value: Any) -> bytes:
    """Write a value of the data model.

    Raises:
        LocalProtocolError: no value of the data model, or a map that would read back as a link or bytes.
    """
    return json_writer.encode(value, _special)


def links(data: bytes) -> list[CID]:
    """Return the links of untrusted text in order."""
    return links_in(decode(data))


def _build(pairs: Pairs) -> Any:
    """Make a map, or the link or bytes that it stands for ("Parse rejection modes in the reserved namespace")."""
    value = json_reader.unique(pairs)
    if not pairs or pairs[0][0] != _SLASH:
        return value
    inner = pairs[0][1]
    if isinstance(inner, str):
        if len(pairs) > 1:
            raise WireError("dag-json link with more than the key '/'")
        return _link(inner)
    if isinstance(inner, dict) and inner:
        key, text = next(iter(inner.items()))
        if key == _BYTES and isinstance(text, str):
            if len(pairs) > 1 or len(inner) > 1:
                raise WireError("dag-json bytes with more than the keys '/' and 'bytes'")
            return _bytes(text)
    return value


def _link(text: str) -> CID:
    cid = CID.from_text(text)
    if cid.version == 1 and text[0] != "b":
        raise WireError(f"dag-json link {text[:64]!r}, expected base32 in lower case")
    return cid


def _bytes(text: str) -> bytes:
    try:
        data = binascii.a2b_base64(text + "=" * (-len(text) % 4), strict_mode=True)
    except (ValueError, UnicodeError):
        raise WireError(f"dag-json bytes {text[:64]!r} are not base64") from None
    if _base64(data) != text:
        raise WireError(f"dag-json bytes {text[:64]!r}, expected base64 without padding or spare bits")
    return data


def _base64(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).rstrip(b"=").decode("ascii")


def _special(value: Any) -> str | None:
    if isinstance(value, CID):
        return f'{{"/":"{value}"}}'
    if isinstance(value, bytes):
        return f'{{"/":{{"bytes":"{_base64(value)}"}}}}'
    if isinstance(value, dict) and _SLASH in value and json_writer.sorted_keys(value)[0] == _SLASH:
        _refuse_reserved(value[_SLASH])
    return None


def _refuse_reserved(inner: Any) -> None:
    if isinstance(inner, str):
        raise LocalProtocolError("a map whose first key is '/' with text reads back from dag-json as a link")
    text = inner.get(_BYTES) if isinstance(inner, dict) else None
    if isinstance(text, str) and json_writer.sorted_keys(inner)[0] == _BYTES:
        raise LocalProtocolError("a map of '/' with a map of 'bytes' reads back from dag-json as bytes")
