"""What is asked and answered (libp2p specs, discovery/mdns.md, "Peer Discovery"), in the bytes of dnspython.

Only what the search for peers needs is read: questions, and TXT records with `dnsaddr=` before each multiaddr.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from zwerm.core.errors import WireError
from zwerm.multiformats.multiaddr import Multiaddr

SERVICE: Final = "_p2p._udp.local."
META: Final = "_services._dns-sd._udp.local."  # who asks for every service there is (RFC 6763 section 9)

MAX_MESSAGE: Final = 9_000  # bytes (RFC 6762 section 17)
MAX_DATAGRAM: Final = 1_400  # bytes that we send at most
MAX_ADDRESSES: Final = 64  # read of one message
TTL: Final = 120  # seconds

_PREFIX: Final = b"dnsaddr="
_MAX_TEXT: Final = 255  # bytes of one string of a TXT record (RFC 1035 section 3.3)
_UNICAST: Final = 0x8000  # top bit of a question's class (RFC 6762 section 5.4)


class Asked(NamedTuple):
    """Questions, by their names in lower case."""

    names: frozenset[str]
    wants_unicast: bool  # every one of them


class Answered(NamedTuple):
    """Addresses that somebody has, each with `/p2p/` at its end or it was left out."""

    addresses: tuple[Multiaddr, ...]


def parse(data: bytes) -> Asked | Answered:
    """Read an untrusted datagram.

    Raises:
        WireError: no DNS message.
    """
    if len(data) > MAX_MESSAGE:
        raise WireError(f"mDNS message of {len(data)} bytes, expected at most {MAX_MESSAGE}")
    if len(data) < 4:
        raise WireError(f"mDNS message of {len(data)} bytes, expected at least 12")
    # dnspython keeps each combination of flags that it has ever seen: it is shown the one that matters.
    data = b"\0\0" + (b"\x84\0" if data[2] & 0x80 else b"\0\0") + data[4:]
    try:
        message = dns.message.from_wire(data, ignore_trailing=True, one_rr_per_rrset=True)
    except (dns.exception.DNSException, ValueError, IndexError) as error:
        raise WireError(f"mDNS message that cannot be read: {str(error)[:100] or type(error).__name__}") from None
    if not message.flags & dns.flags.QR:
        asked = [question for question in message.question if question.rdtype in _ASKED]
        names = frozenset(question.name.to_text().lower() for question in asked)
        return Asked(names, bool(asked) and all(question.rdclass & _UNICAST for question in asked))
    found: list[Multiaddr] = []
    for record in (*message.answer, *message.additional):
        if record.rdtype == dns.rdatatype.TXT and record.ttl > 0:
            for text in (text for rdata in record for text in rdata.strings):
                address = _address_untrusted(text)
                if address is not None and len(found) < MAX_ADDRESSES:
                    found.append(address)
    return Answered(tuple(found))


def question(service: str = SERVICE) -> bytes:
    """Write the question for all peers."""
    message = dns.message.Message(id=0)
    message.flags = dns.flags.Flag(0)
    message.find_rrset(message.question, dns.name.from_text(service), dns.rdataclass.IN, dns.rdatatype.PTR, create=True)
    return message.to_wire()


def answer(peer_name: str, addresses: Sequence[Multiaddr], service: str = SERVICE, ttl: int = TTL) -> bytes:
    """Write who we are and where: as many addresses as fit, the first of them first. A `ttl` of 0 says goodbye."""
    ours = f"{peer_name}.{service}"
    message = _response()
    message.answer.append(dns.rrset.from_text(service, ttl, "IN", "PTR", ours))
    size = 150 + len(ours)  # header, names and the records' fixed parts, rounded up
    texts = []
    for address in addresses:
        text = f"dnsaddr={address}"
        size += 1 + len(text)
        if len(text) > _MAX_TEXT or size > MAX_DATAGRAM:
            continue
        texts.append(f'"{text}"')
    if texts:
        message.additional.append(dns.rrset.from_text(ours, ttl, "IN", "TXT", " ".join(texts)))
    return message.to_wire()


def services(service: str = SERVICE) -> bytes:
    """Write the answer to who asks for every service there is."""
    message = _response()
    message.answer.append(dns.rrset.from_text(META, TTL, "IN", "PTR", service))
    return message.to_wire()


_ASKED: Final = (dns.rdatatype.PTR, dns.rdatatype.TXT, dns.rdatatype.ANY)


def _response() -> dns.message.Message:
    message = dns.message.Message(id=0)
    message.flags = dns.flags.QR | dns.flags.AA
    return message


def _address_untrusted(text: bytes) -> Multiaddr | None:
    if not text.startswith(_PREFIX):
        return None
    try:
        address = Multiaddr.from_text(text[len(_PREFIX) :].decode())
    except (WireError, UnicodeDecodeError):
        return None
    return address if address.names[-1] == "p2p" and len(address) > 1 else None
