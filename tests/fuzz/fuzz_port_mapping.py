"""An answer of PCP or NAT-PMP is read or refused with WireError, and a mapping takes any bytes of its gateway."""

from zwerm.core.errors import WireError
from zwerm.core.random import seeded
from zwerm.net.mapping.client import PortMapping
from zwerm.net.mapping.message import PORT, Transport, parse_nat_pmp, parse_nat_pmp_address, parse_pcp

_NONCE = bytes(12)
SEEDS = [
    bytes.fromhex(
        "0281 0000 00001c20 00000001" + "00" * 12 + "00" * 12 + "06 000000 0fa1 1388" + "00" * 10 + "ffff c0000207"
    ),
    bytes.fromhex("0082 0000 00000001 0fa1 1388 00001c20"),
    bytes.fromhex("0080 0000 00000001 c0000207"),
]


def fuzz(data: bytes) -> None:
    for parse in (
        lambda: parse_pcp(data, Transport.TCP, 4_001, _NONCE),
        lambda: parse_nat_pmp(data, Transport.TCP, 4_001),
        lambda: parse_nat_pmp_address(data),
    ):
        try:
            parse()
        except WireError:
            continue
    gateway = ("192.0.2.1", PORT)
    machine = PortMapping(
        Transport.UDP, 4_001, gateway=gateway[0], client="192.0.2.2", now=0.0, random=seeded("mapping")
    )
    machine.receive_datagram(data, gateway, 0.1)
    machine.receive_datagram(data, gateway, 0.2)
