"""Limits and times of webrtc-direct."""

from __future__ import annotations

import dataclasses
import ipaddress
from typing import Final

from zwerm.webrtc.ice import config as ice
from zwerm.webrtc.sctp import config as sctp


@dataclasses.dataclass(frozen=True, slots=True)
class Config:
    """Sizes are bytes, times seconds."""

    max_connections: int = 512  # of one listener, handshakes included
    max_handshakes: int = 64  # of strangers, under way at one listener; more are not begun
    max_callers: int = 4_096  # addresses that sent a STUN request and nothing else; the oldest goes
    max_answers: int = 1_000  # STUN requests of strangers looked at in a second; more are dropped unread
    max_answers_of_host: int = 50  # the same, of one address (one /64 of IPv6): an office behind one translator
    max_hosts: int = 4_096  # addresses counted in that second; beyond, all others share one count

    handshake_timeout: float = 15.0  # from the first packet of DTLS, or from dialling, to a proved identity
    finish_timeout: float = 10.0  # for the FIN_ACK of a stream nobody holds any more; as js-libp2p and go-libp2p
    stall_timeout: float = 60.0  # that what nobody reads of one stream may keep all streams of a connection waiting

    max_streams: int = 512  # of each side, on one connection; Chromium has 1,024 channels in all
    receive_window: int = 2 * 1_048_576  # unread, of all streams of a connection; then the peer has to wait
    high_water: int = 262_144  # of one stream, given to `write` and not sent: no more is taken
    low_water: int = 131_072  # down to which `write` waits then
    send_buffer: int = 8 * 1_048_576  # of all streams of a connection, what is in flight included

    @property
    def association(self) -> sctp.Config:
        """The association's limits: messages are small here, and nobody sends many without their being read."""
        return sctp.Config(
            receive_window=self.receive_window,
            max_message_size=65_536 + 8,
            max_events=8_192,
            send_buffer=self.send_buffer,
            max_send_messages=65_536,
        )


EVERYWHERE: Final = (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0"))

# Whoever listens answers checks and sends none, and believes the dialer's nomination: RFC 8445 section 2.5.
# Which addresses may be dialled is the swarm's to decide, long before ICE is asked.
LISTENER: Final = ice.Config(lite=True, allowed_networks=EVERYWHERE, renomination=False)
DIALER: Final = ice.Config(allowed_networks=EVERYWHERE, renomination=False)
