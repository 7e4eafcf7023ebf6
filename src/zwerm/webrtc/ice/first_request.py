r"""Agents that learn the other side from its first Binding request (libp2p webrtc-direct, and servers like it).

There is no signaling: a listener knows only what a username fragment looks like, and whoever comes proves in the same
request that it knows the password, which the rule derives from the fragments. One socket serves many such agents:

    rule = FirstRequestRule(re.compile(r"libp2p\+webrtc\+v1/[A-Za-z0-9]+"), password_of=lambda ufrag: ufrag)
    first = rule.match_untrusted(data)             # a datagram from a source that no agent is responsible for
    if first is not None:
        agent = Agent(Role.CONTROLLED, config, random=random, credentials=first.local)
        agent.add_local_address(address, now)
        agent.gather(now)
        agent.set_remote(first.remote, now)
        agent.receive_datagram(data, source, now)  # answered, and the source learned as a peer-reflexive candidate

`match_untrusted` checks the integrity, so an agent is made only for somebody who knows the password. How many are made
is the listener's to limit.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable

from zwerm.webrtc.ice.check import parse_message_untrusted, ufrags_of
from zwerm.webrtc.ice.credentials import Credentials
from zwerm.webrtc.stun.attributes import PRIORITY


@dataclasses.dataclass(frozen=True, slots=True)
class FirstRequest:
    """Who came, and whom it came to."""

    local: Credentials
    remote: Credentials


class FirstRequestRule:
    """Which fragments are taken, and what their passwords are."""

    def __init__(self, pattern: re.Pattern[str], password_of: Callable[[str], str]) -> None:
        """`pattern` must match a whole fragment of ours; `password_of` gives the password that goes with either."""
        self._pattern = pattern
        self._password_of = password_of

    def match_untrusted(self, data: bytes) -> FirstRequest | None:
        """Read an untrusted datagram; None unless it is an authentic check for one of the fragments."""
        message = parse_message_untrusted(data)
        names = None if message is None else ufrags_of(message)
        if message is None or names is None or not message.has_fingerprint or message.find(PRIORITY) is None:
            return None
        ours, theirs = names
        if not self._pattern.fullmatch(ours) or not 4 <= len(theirs) <= 256:
            return None
        local = Credentials(ours, self._password_of(ours))
        if not message.has_integrity(local.key):
            return None
        return FirstRequest(local, Credentials(theirs, self._password_of(theirs)))
