"""From Host header to content root and back (Subdomain Gateway specification).

`bafy....ipfs.localhost:8080/a` is `/ipfs/bafy.../a` on an origin of its own. CIDs stand in DNS labels, which know no
case and end at 63 characters: base32, and base36 for keys; DNSLink names are inlined into one label.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from urllib.parse import quote

from zwerm.core.errors import WireError
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

MAX_LABEL: Final = 63  # characters (RFC 1035 section 2.3.4)

_NAME: Final = re.compile(
    r"(?=.{1,253}\Z)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z"
)


class ContentRoot(NamedTuple):
    """The namespace and identifier that a content path begins with."""

    namespace: str  # "ipfs" or "ipns"
    identifier: str  # a CID, a key or a DNS name

    def __str__(self) -> str:
        return f"/{self.namespace}/{self.identifier}"


def split_port(host: str) -> tuple[str, str]:
    """Return the name in lower case and the port with its colon, empty when there is none."""
    match = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]*)(:\d{1,5})?", host.strip())
    if match is None:
        raise WireError(f"Host {host[:80]!r} is not a host name")
    return match[1].lower().rstrip("."), match[2] or ""


def from_host(host: str, gateways: frozenset[str]) -> tuple[ContentRoot, str] | None:
    """Read the content root out of a Host header; None when the host is not a subdomain of one of `gateways`.

    Returns:
        The root, and the gateway's own host with the port.

    Raises:
        WireError: a subdomain of a gateway that names no content.
    """
    name, port = split_port(host)
    parts = name.split(".", 2)
    if len(parts) != 3 or parts[1] not in {"ipfs", "ipns"} or parts[2] not in gateways:
        return None
    label, namespace, gateway = parts
    if namespace == "ipfs":
        CID.from_text(label)
        return ContentRoot("ipfs", label), gateway + port
    return ContentRoot("ipns", label if _is_key(label) else uninline(label)), gateway + port


def to_label(root: ContentRoot) -> str:
    """Return the DNS label under which `root` has its own origin.

    Raises:
        WireError: it is no CID, key or DNS name, or it needs more than 63 characters.
    """
    if root.namespace == "ipfs":
        label = CID.from_text(root.identifier).to_v1().encode("base32")
    elif (key := _key(root.identifier)) is not None:
        label = key.encode("base36")
    elif _NAME.match(root.identifier.lower()) and "." in root.identifier:
        label = inline(root.identifier.lower())
    else:
        raise WireError(f"{root.identifier[:80]!r} is neither a key nor a DNS name")
    if len(label) > MAX_LABEL:
        raise WireError(f"{root} needs a DNS label of {len(label)} characters, the limit is {MAX_LABEL}")
    return label


def subdomain_url(scheme: str, gateway: str, root: ContentRoot, rest: str) -> str:
    """Return the URL of `rest` (percent-encoded path and query) on the root's own origin."""
    return f"{scheme}://{to_label(root)}.{root.namespace}.{gateway}{rest or '/'}"


def inline(name: str) -> str:
    """Turn a DNS name into one label: `en.wiki-x.org` becomes `en-wiki--x-org`."""
    return name.replace("-", "--").replace(".", "-")


def uninline(label: str) -> str:
    """Undo `inline`."""
    return label.replace("--", "\0").replace("-", ".").replace("\0", "-")


def content_url(uri: str) -> str | None:
    """Turn `ipfs://root/path?query` into `/ipfs/root/path?query`; None for any other scheme."""
    match = re.fullmatch(r"(ipfs|ipns)://([^/?#]+)([^#]*)(?:#.*)?", uri, re.IGNORECASE | re.DOTALL)
    if match is None:
        return None
    return f"/{match[1].lower()}/{quote(match[2], safe='')}{quote(match[3], safe='/?=&%~!$()*+,;:@-._')}"


def canonical_key(text: str) -> str | None:
    """Return a key in the one form that names are written in; None when the text is a domain."""
    key = _key(text)
    return None if key is None else key.encode("base36")


def names_other_codec(label: str) -> bool:
    """Whether a label is the multihash of a key under a codec that says it is something else, as old programs write."""
    try:
        return CID.from_text(label).codec != multicodec.LIBP2P_KEY
    except WireError:
        return False


def _is_key(text: str) -> bool:
    return _key(text) is not None


def _key(text: str) -> CID | None:
    """Read an IPNS name: a CID of a libp2p key in any base, or the bare base58 multihash of a peer ID."""
    try:
        if text.startswith(("12D3KooW", "1A", "16Uiu2")):
            cid = CID.parse(b"\x01\x72" + _base58(text))
        else:
            cid = CID.from_text(text)
    except WireError:
        return None
    return CID(1, multicodec.LIBP2P_KEY, cid.multihash)


def _base58(text: str) -> bytes:
    from zwerm.multiformats import multibase

    return multibase.decode("z" + text)
