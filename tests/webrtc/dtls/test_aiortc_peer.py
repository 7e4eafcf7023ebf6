"""aiortc's DTLS transport as a peer, in both roles, with data, SRTP profiles and the end."""

import asyncio
from typing import Any

import pytest
from aiortc.rtcdtlstransport import RTCCertificate, RTCDtlsFingerprint, RTCDtlsParameters, RTCDtlsTransport

from tests.net.sockets import LOOPBACK, until
from tests.webrtc.dtls.peers import CLIENT_CERTIFICATE, payloads
from zwerm.net.driver import Driver
from zwerm.net.udp import UdpSocket
from zwerm.webrtc.dtls.connection import DTLSConnection, State
from zwerm.webrtc.dtls.event import Closed, Config, Event, Handshaked, Role, SRTPProfile
from zwerm.webrtc.dtls.fingerprint import Fingerprint

pytestmark = [pytest.mark.interop, pytest.mark.slow]

PROFILES = (SRTPProfile.AEAD_AES_128_GCM, SRTPProfile.AES128_CM_SHA1_80)
CONFIGS = pytest.mark.parametrize(
    "config",
    [Config(srtp_profiles=PROFILES), Config(srtp_profiles=PROFILES, own_records=False)],
    ids=["own records", "OpenSSL's records"],
)


class Path(asyncio.DatagramProtocol):
    """What aiortc takes for an ICE transport: a UDP socket that is connected to ours."""

    state = "completed"
    role = "controlling"

    def __init__(self) -> None:
        self.arrived: asyncio.Queue[bytes] = asyncio.Queue()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.arrived.put_nowait(data)

    async def _recv(self) -> bytes:
        return await self.arrived.get()

    async def _send(self, data: bytes) -> None:
        self.transport.sendto(data)

    async def stop(self) -> None:
        self.transport.close()


class Heard:
    """What aiortc's data channels would be given."""

    def __init__(self) -> None:
        self.data: list[bytes] = []

    async def _handle_data(self, data: bytes) -> None:
        self.data.append(data)


@CONFIGS
@pytest.mark.parametrize("role", Role, ids=["we are the client", "we are the server"])
async def test_aiortc_and_we_shake_hands_talk_and_part(role: Role, config: Config) -> None:
    loop = asyncio.get_running_loop()
    async with UdpSocket.open(LOOPBACK) as socket:
        transport, path = await loop.create_datagram_endpoint(Path, LOOPBACK, socket.address)
        certificate = RTCCertificate.generateCertificate()
        theirs, heard = RTCDtlsTransport(path, [certificate]), Heard()  # type: ignore[arg-type]
        theirs._register_data_receiver(heard)
        theirs._set_role("server" if role is Role.CLIENT else "client")
        announced = [Fingerprint.from_text(f"{one.algorithm} {one.value}") for one in certificate.getFingerprints()]
        ours = CLIENT_CERTIFICATE.fingerprint()
        value = ours.digest.hex(":").upper()
        expected = RTCDtlsParameters([RTCDtlsFingerprint(ours.function.value, value)])
        starting = asyncio.ensure_future(theirs.start(expected))
        events: list[Event] = []
        connection = DTLSConnection(
            role,
            CLIENT_CERTIFICATE,
            transport.get_extra_info("sockname"),
            now=loop.time(),
            fingerprints=announced,
            config=config,
        )
        driver = Driver(connection, socket, events.append)
        await until(lambda: connection.state is State.CONNECTED)
        async with asyncio.timeout(20):
            await starting
        assert theirs.state == "connected"  # which it is not without an SRTP profile
        handshaked = events[0]
        assert isinstance(handshaked, Handshaked)
        assert handshaked.srtp_profile in PROFILES
        for number in range(20):
            connection.send([b"ours %d" % number])
            driver.pump()
            await theirs._send_data(b"theirs %d" % number)
        await until(lambda: len(heard.data) == 20 and len(payloads(events)) == 20)
        assert heard.data == [b"ours %d" % number for number in range(20)]
        assert payloads(events) == [b"theirs %d" % number for number in range(20)]
        assert connection.owns_records is config.own_records
        await theirs.stop()
        await until(lambda: connection.state is State.CLOSED)
        assert events[-1] == Closed()
        driver.close()
        transport.close()
