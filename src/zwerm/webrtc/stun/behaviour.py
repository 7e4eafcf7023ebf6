"""What a NAT does with UDP (RFC 4787), and what that means for reaching others, in words."""

from __future__ import annotations

import dataclasses
import enum

from zwerm.core.machine import Address


class Behaviour(enum.Enum):
    """How much of the peer's address counts (RFC 4787 sections 4.1 and 5)."""

    ENDPOINT_INDEPENDENT = "endpoint-independent"
    ADDRESS_DEPENDENT = "address-dependent"
    ADDRESS_AND_PORT_DEPENDENT = "address-and-port-dependent"


_MAPPING_WORDS = {
    Behaviour.ENDPOINT_INDEPENDENT: "Everybody sees the same outside port",
    Behaviour.ADDRESS_DEPENDENT: "Every host you talk to sees another outside port",
    Behaviour.ADDRESS_AND_PORT_DEPENDENT: "Every port you talk to sees another outside port",
}
_FILTERING_WORDS = {
    Behaviour.ENDPOINT_INDEPENDENT: "anybody may send to it",
    Behaviour.ADDRESS_DEPENDENT: "only hosts you sent to may send to it",
    Behaviour.ADDRESS_AND_PORT_DEPENDENT: "only ports you sent to may send to it",
}
_OLD_NAMES = {
    Behaviour.ENDPOINT_INDEPENDENT: "full cone",
    Behaviour.ADDRESS_DEPENDENT: "restricted cone",
    Behaviour.ADDRESS_AND_PORT_DEPENDENT: "port-restricted cone",
}


@dataclasses.dataclass(frozen=True, slots=True)
class NatBehaviour:
    """What was found out about the way between a socket and the network outside."""

    local: Address
    mapped: Address | None = None  # as the server saw it; None: no answer came
    mapping: Behaviour | None = None  # None: the server cannot tell
    filtering: Behaviour | None = None  # None: the server cannot tell
    has_hairpinning: bool | None = None  # hosts inside reach each other by their outside addresses; None: not tried
    pools_addresses: bool = False  # one inside host was seen with several outside IP addresses

    @property
    def is_translated(self) -> bool:
        return self.mapped is not None and self.mapped != self.local

    @property
    def old_name(self) -> str | None:
        """The name of RFC 3489: "full cone", "symmetric" and so on; None without a NAT, or when not known."""
        if not self.is_translated or self.mapping is None or self.filtering is None:
            return None
        return _OLD_NAMES[self.filtering] if self.mapping is Behaviour.ENDPOINT_INDEPENDENT else "symmetric"

    def in_words(self) -> list[str]:
        """Sentences for a person: what there is, then what it means."""
        if self.mapped is None:
            return ["No answer came: UDP is blocked on the way, or nobody answers there."]
        return [self._place(self.mapped), *self._details(), self._meaning()]

    def _place(self, mapped: Address) -> str:
        if not self.is_translated:
            return f"You are not behind a NAT: the server sees your own address, {_text(self.local)}."
        name = f" of the kind once called {self.old_name}" if self.old_name else ""
        return f"You are behind a NAT{name}: the server sees {_text(mapped)} instead of {_text(self.local)}."

    def _details(self) -> list[str]:
        details = []
        if self.is_translated and self.mapping and self.filtering:
            details.append(
                f"{_MAPPING_WORDS[self.mapping]} ({self.mapping.value} mapping), and "
                f"{_FILTERING_WORDS[self.filtering]} ({self.filtering.value} filtering)."
            )
        elif self.is_translated and self.mapping:
            details.append(f"{_MAPPING_WORDS[self.mapping]} ({self.mapping.value} mapping).")
        elif self.filtering not in (None, Behaviour.ENDPOINT_INDEPENDENT) and not self.is_translated:
            details.append(
                f"A firewall stands before you: {_FILTERING_WORDS[self.filtering]} ({self.filtering.value} filtering)."
            )
        if self.pools_addresses:
            details.append("It uses several outside IP addresses at once.")
        if self.has_hairpinning is not None and self.is_translated:
            does = "can" if self.has_hairpinning else "cannot"
            details.append(f"Two hosts behind it {does} reach each other by their outside addresses.")
        return details

    def _meaning(self) -> str:
        if self.filtering is None and self.mapping is None:
            return "This server cannot tell how the way behaves: it has no second address (RFC 5780)."
        if self.filtering is Behaviour.ENDPOINT_INDEPENDENT and self.mapping in (None, Behaviour.ENDPOINT_INDEPENDENT):
            return "Anybody can reach you directly."
        if not self.is_translated or self.mapping is Behaviour.ENDPOINT_INDEPENDENT:
            if self.filtering is Behaviour.ADDRESS_DEPENDENT:
                return "Direct connections work with everybody, once both sides send."
            return (
                "Direct connections work with all but those behind a symmetric NAT; to these a relay (TURN) is needed."
            )
        return "Direct connections work with peers whose NAT is less strict; to all others a relay (TURN) is needed."


def _text(address: Address) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
