"""A wide network and homes at it, each behind a box that translates and filters as its type says.

    host 192.168.N.10 -- lan [box] wan 198.51.100.(20+N) -- the wide network, with servers at 198.51.100.10 and .11

The boxes are real: network namespaces, the kernel's connection tracking and nftables. `none` has no translation: its
host is 203.0.113.N. With IPv6 a host has 2001:db8:N::10 too, whose box lets in only answers.

Those are addresses for documentation, which programs take for private ones. With the plan `GLOBAL` they are of networks
that count as public and have no hosts (RFC 7450, RFC 7535), for programs that treat the two differently.
"""

from __future__ import annotations

import contextlib
import enum
from collections.abc import Iterator
from typing import Final, NamedTuple

from tests.netlab.namespace import Namespace, wire

SERVERS: Final = ("198.51.100.10", "198.51.100.11")  # of the plan DOCUMENTATION
SERVER6: Final = "2001:db8:ffff::10"


class Plan(NamedTuple):
    """The addresses of a wide network, without their last part."""

    wan: str
    hosts: str  # of homes without a translation

    @property
    def servers(self) -> tuple[str, str]:
        return f"{self.wan}.10", f"{self.wan}.11"

    @property
    def router(self) -> str:
        return f"{self.wan}.254"


DOCUMENTATION: Final = Plan("198.51.100", "203.0.113")
GLOBAL: Final = Plan("192.52.193", "192.31.196")


class Kind(enum.Enum):
    """What a box does to UDP; TCP goes out by masquerading unless it is said otherwise."""

    NONE = "none"  # a router: no translation, no filter
    FULL = "full"  # one mapping for all peers, and all may use it (full cone)
    ADDR = "addr"  # one mapping; hosts that were sent to may answer (restricted cone)
    PORT = "port"  # one mapping; addresses that were sent to may answer (port restricted cone)
    SYMM = "symm"  # a mapping with a random port for each peer (symmetric)
    NOUDP = "noudp"  # no UDP
    TCP443 = "tcp443"  # TCP to ports 80 and 443 only
    BLOCK = "block"  # nothing


# What is for the box itself is dropped, not refused: an entry of connection tracking for a datagram would take the port
# away from the mapping of the inside host's later packet, and of a SYN it is wanted (RFC 5382, REQ-4).
_INPUT: Final = 'chain input { type filter hook input priority 0; iifname "wan" meta l4proto { tcp, udp } drop; }'
_OUT: Final = 'chain out { type nat hook postrouting priority 100; oifname "wan" masquerade%s; }'
_HAIRPIN: Final = 'chain hairpin { type filter hook prerouting priority -150; iifname "lan" ip daddr %s drop; }'
_FORWARD: Final = (
    "chain pass { type filter hook forward priority 0; policy drop; ct state established,related accept; %s }"
)
_LAN_TO_WAN: Final = 'iifname "lan" oifname "wan" %saccept;'

# The kernel keeps a source port where it is free, so one inside port is one outside port; a table of our own knows
# which, and brings in what belongs to it.
_CONE: Final = """
  map mapped { type inet_service : ipv4_addr . inet_service; flags dynamic,timeout; timeout 120s; size 65535; }
  set seen { type ipv4_addr . inet_service; flags dynamic,timeout; timeout 120s; size 65535; }
  chain note { type filter hook prerouting priority -150;
    iifname "lan" meta l4proto udp update @mapped { udp sport : ip saddr . udp sport }
    iifname "lan" meta l4proto udp update @seen { ip daddr . udp sport }
  }
  chain back { type nat hook prerouting priority -100;
    iifname "wan" ip daddr WAN meta l4proto udp dnat to udp dport map @mapped
  }
"""
_CONE_FORWARD: Final = (
    'chain pass { type filter hook forward priority 0; policy drop; iifname "lan" oifname "wan" accept;'
    ' iifname "wan" meta l4proto udp ct status dnat %s accept; ct state established,related accept; }'
)


def rules_of(kind: Kind, wan: str) -> str:
    """The rules of a box, for `nft -f`."""
    hairpin = _HAIRPIN % wan
    match kind:
        case Kind.NONE:
            return ""
        case Kind.BLOCK:
            parts = ["chain pass { type filter hook forward priority 0; policy drop; }"]
        case Kind.NOUDP:
            parts = [_INPUT, _FORWARD % (_LAN_TO_WAN % "meta l4proto tcp "), _OUT % ""]
        case Kind.TCP443:
            parts = [_INPUT, _FORWARD % (_LAN_TO_WAN % "tcp dport { 80, 443 } "), _OUT % ""]
        case Kind.PORT:
            parts = [_INPUT, hairpin, _FORWARD % (_LAN_TO_WAN % ""), _OUT % ""]
        case Kind.SYMM:
            parts = [_INPUT, hairpin, _FORWARD % (_LAN_TO_WAN % ""), _OUT % " fully-random"]
        case Kind.FULL:
            parts = [_INPUT, hairpin, _CONE, _CONE_FORWARD % "", _OUT % ""]
        case Kind.ADDR:
            parts = [_INPUT, hairpin, _CONE, _CONE_FORWARD % "ip saddr . udp dport @seen", _OUT % ""]
    return "table ip home {\n" + "\n".join(parts).replace("WAN", wan) + "\n}\n"


_RULES6: Final = """
table ip6 home {
  chain pass { type filter hook forward priority 0; policy drop;
    meta l4proto ipv6-icmp accept; ct state established,related accept; iifname "lan" oifname "wan" accept; }
}
"""


class Home:
    """A host, and the box between it and the rest."""

    def __init__(self, kind: Kind, number: int, *, has_ipv6: bool, plan: Plan = DOCUMENTATION) -> None:
        self.kind = kind
        self.number = number
        self.wan = f"{plan.wan}.{20 + number}"
        self.address = f"{plan.hosts}.{number}" if kind is Kind.NONE else f"192.168.{number}.10"
        self.address6 = f"2001:db8:{number:x}::10" if has_ipv6 else None
        self.box = Namespace()
        self.host = Namespace()

    def close(self) -> None:
        self.box.close()
        self.host.close()


class WideNetwork:
    """Servers in the middle; homes join."""

    def __init__(self, plan: Plan = DOCUMENTATION) -> None:
        self.plan = plan
        self.core = Namespace()
        self.homes: list[Home] = []
        self.core.sysctl(ipv4__ip_forward=1, ipv6__conf__all__forwarding=1, ipv4__conf__all__send_redirects=0)
        self.core.ip(
            *(f"addr add {address}/32 dev lo" for address in (*plan.servers, plan.router)),
            f"addr add {SERVER6}/128 dev lo nodad",
        )

    def join(self, kind: Kind, *, has_ipv6: bool = False) -> Home:
        """Build a home."""
        number = len(self.homes) + 1
        home = Home(kind, number, has_ipv6=has_ipv6, plan=self.plan)
        router = self.plan.router
        self.homes.append(home)
        core, box, host = self.core, home.box, home.host
        wire(core, f"home{number}", box, "wan")
        wire(box, "lan", host, "eth0")
        box.sysctl(ipv4__ip_forward=1, ipv6__conf__all__forwarding=1, ipv4__conf__all__send_redirects=0)
        lan = f"192.168.{number}.1/24" if kind is not Kind.NONE else f"{self.plan.hosts}.{100 + number}/32"
        core.ip(f"link set home{number} up", f"route add {home.wan}/32 dev home{number}")
        box.ip(
            "link set wan up", "link set lan up", f"addr add {home.wan}/32 dev wan", f"addr add {lan} dev lan",
            f"route add {router}/32 dev wan", f"route add default via {router} dev wan",
        )  # fmt: skip
        if kind is Kind.NONE:
            core.ip(f"route add {home.address}/32 via {home.wan} dev home{number} onlink")
            box.ip(f"route add {home.address}/32 dev lan")
            gateway = f"{self.plan.hosts}.{100 + number}"
            host.ip(
                "link set eth0 up", f"addr add {home.address}/32 dev eth0", f"route add {gateway}/32 dev eth0",
                f"route add default via {gateway} dev eth0",
            )  # fmt: skip
        else:
            host.ip(
                "link set eth0 up", f"addr add {home.address}/24 dev eth0", f"route add default via 192.168.{number}.1"
            )
            box.nft(rules_of(kind, home.wan))
        if home.address6 is not None:
            self._join6(home)
        host.wait_for(home.address, *([] if home.address6 is None else [home.address6]))
        return home

    def _join6(self, home: Home) -> None:
        net = f"2001:db8:{home.number:x}::"
        link = f"2001:db8:ff{home.number:02x}::"
        self.core.ip(
            f"addr add {link}1/64 dev home{home.number} nodad", f"route add {net}/64 via {link}2 dev home{home.number}"
        )
        home.box.ip(
            f"addr add {link}2/64 dev wan nodad", f"addr add {net}1/64 dev lan nodad", f"route add default via {link}1"
        )
        home.host.ip(f"addr add {home.address6}/64 dev eth0 nodad", f"route add default via {net}1")
        home.box.nft(_RULES6)

    def close(self) -> None:
        for home in self.homes:
            home.close()
        self.core.close()


@contextlib.contextmanager
def wide_network(plan: Plan = DOCUMENTATION) -> Iterator[WideNetwork]:
    network = WideNetwork(plan)
    try:
        yield network
    finally:
        network.close()
