"""How the parts of a connection are put together, on either side; there is no description to negotiate over.

Both sides know beforehand what an offer and an answer would have said: one section of data channels on port 5000 of
SCTP, messages of 16 KiB, the dialer active in DTLS, the listener lite in ICE, one string for all credentials.
"""

from __future__ import annotations

from random import Random

from zwerm.core.machine import Address, Instant
from zwerm.libp2p.transports.webrtc_direct.address import Target
from zwerm.libp2p.transports.webrtc_direct.admission import Caller
from zwerm.libp2p.transports.webrtc_direct.config import DIALER, LISTENER, Config
from zwerm.libp2p.transports.webrtc_direct.credentials import draw_credentials
from zwerm.libp2p.transports.webrtc_direct.message import MAX_SIZE
from zwerm.libp2p.transports.webrtc_direct.session import MakeProof, Session
from zwerm.webrtc.connection.description import Remote
from zwerm.webrtc.connection.transport import Transport
from zwerm.webrtc.datachannel.channels import DataChannels
from zwerm.webrtc.dtls.certificate import Certificate
from zwerm.webrtc.dtls.event import Role as DTLSRole
from zwerm.webrtc.dtls.fingerprint import Fingerprint
from zwerm.webrtc.ice.candidate import Candidate
from zwerm.webrtc.ice.config import Role
from zwerm.webrtc.ice.credentials import Credentials
from zwerm.webrtc.sctp.association import Association
from zwerm.webrtc.sdp.values import Setup

_PRIORITY = 1_467_250_027  # of the one candidate there is, so it means nothing


def dialing_session(
    target: Target,
    local: Address,
    certificate: Certificate,
    make_proof: MakeProof,
    *,
    random: Random,
    now: Instant,
    config: Config | None = None,
) -> Session:
    """Begin to connect to `target` from the socket at `local`."""
    config = config or Config()
    credentials = draw_credentials(random)
    transport = _transport(certificate, credentials, config, random, now)
    transport.configure(Role.CONTROLLING, DIALER)
    session = Session(
        transport,
        is_dialer=True,
        own=certificate.fingerprint,
        make_proof=make_proof,
        now=now,
        config=config,
        function=target.fingerprints[0].function,
    )
    host, port = target.address
    agent = transport.agent
    agent.add_local_address(local, now)
    agent.gather(now)
    agent.set_remote(credentials, now, lite=True)
    agent.add_remote_candidate(Candidate("1", 1, "udp", _PRIORITY, host, port, "host"), now)
    agent.end_of_candidates(now)
    transport.start(_remote(credentials, target.fingerprints, is_lite=True), DTLSRole.CLIENT, now)
    return session


def accepted_session(
    caller: Caller,
    source: Address,
    local: Address,
    certificate: Certificate,
    make_proof: MakeProof,
    *,
    random: Random,
    now: Instant,
    config: Config | None = None,
) -> Session:
    """Take up the connection of a caller at `source`, who sent to `local`; what it sent first is given to it here."""
    config = config or Config()
    first = caller.first
    transport = _transport(certificate, first.local, config, random, now)
    transport.configure(Role.CONTROLLED, LISTENER)
    session = Session(
        transport, is_dialer=False, own=certificate.fingerprint, make_proof=make_proof, now=now, config=config
    )
    agent = transport.agent
    agent.add_local_address(local, now)
    agent.gather(now)
    agent.set_remote(first.remote, now)
    transport.start(_remote(first.remote, (), is_lite=False), DTLSRole.SERVER, now)
    session.receive_datagram(caller.request, source, now, local=local)
    # It was answered before it was admitted. A second answer libjuice takes for that to its nomination, and sends none.
    while session.next_transmit() is not None:
        pass
    return session


def _transport(
    certificate: Certificate, credentials: Credentials, config: Config, random: Random, now: Instant
) -> Transport:
    association = Association(config.association, random=random, now=now)
    channels = DataChannels(association, max_incoming=config.max_streams, max_name_bytes=65_536)
    return Transport(certificate, random=random, now=now, credentials=credentials, channels=channels)


def _remote(credentials: Credentials, fingerprints: tuple[Fingerprint, ...], *, is_lite: bool) -> Remote:
    return Remote(
        mid="0",
        credentials=credentials,
        ice_options=(),
        is_lite=is_lite,
        fingerprints=fingerprints,
        setup=Setup.PASSIVE if is_lite else Setup.ACTIVE,
        max_message_size=MAX_SIZE,
        candidates=(),
        has_ended=True,
    )
