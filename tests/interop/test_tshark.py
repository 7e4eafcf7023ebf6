"""tshark reads our captures: STUN, DTLS with the keys that stand in it, SCTP, and what channels said."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.interop.tshark import bytes_of, fields
from tests.sim.profile import WIFI
from tests.webrtc.connection.test_transport import connect
from zwerm.webrtc.capture.file import CaptureFile
from zwerm.webrtc.datachannel.channel import BinaryReceived, ChannelAnnounced, ChannelClosed, TextReceived

pytestmark = [pytest.mark.interop, pytest.mark.slow]

BINARY = bytes(range(256)) * 20
OPEN, ACK = "3", "2"  # message types of RFC 8832
FINISHED = "20"
HELLO_IN_HEX = "68 65 6c 6c 6f 20 73 68 61 72 6b"


def captured(path: Path, *, has_keys: bool) -> Path:
    """A whole connection: a channel is opened, says something in both directions, and is closed."""
    capture = CaptureFile(path, now=0.0, wall=1_700_000_000.0, has_keys=has_keys)
    pair, left, right = connect(profile=WIFI)
    left.tap = capture.tap()
    channel = left.channels.open("chat", now=pair.clock.now)
    pair.pump()
    theirs = pair.drive_until(ChannelAnnounced, limit=30.0).channel
    left.channels.send_text(channel, "hello shark", pair.clock.now)
    right.channels.send_binary(theirs, BINARY, pair.clock.now)
    pair.pump()
    pair.drive_while(
        lambda: (
            not any(isinstance(one, BinaryReceived) for one in pair.left.events)
            or not any(isinstance(one, TextReceived) for one in pair.right.events)
        ),
        30.0,
    )
    left.channels.close(channel, pair.clock.now)
    pair.pump()
    pair.drive_until(ChannelClosed, limit=30.0)
    left.close(pair.clock.now)
    pair.pump()
    capture.close()
    return path


@pytest.fixture(scope="module")
def without_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return captured(tmp_path_factory.mktemp("captures") / "plain.pcapng", has_keys=False)


@pytest.fixture(scope="module")
def with_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return captured(tmp_path_factory.mktemp("captures") / "keys.pcapng", has_keys=True)


def test_nothing_in_it_is_malformed_and_every_checksum_is_right(without_keys: Path) -> None:
    assert (
        fields(without_keys, "_ws.malformed || ip.checksum.status == 0 || udp.checksum.status == 0", "frame.number")
        == []
    )
    assert len(fields(without_keys, "frame", "frame.number")) > 40


def test_the_datagrams_are_stun_and_dtls(without_keys: Path) -> None:
    udp = 'frame.interface_name == "udp"'
    requests = fields(without_keys, f"{udp} && stun.type == 0x0001", "frame.packet_flags_direction")
    assert {("0x00000001",), ("0x00000002",)} == set(requests)
    hello = fields(without_keys, f"{udp} && dtls.handshake.type == 1", "ip.src", "ip.dst", "udp.srcport", "udp.dstport")
    assert hello == [("192.0.2.1", "198.51.100.1", "4000", "5000")]


def test_channels_can_be_read_without_a_key(without_keys: Path) -> None:
    dcep = fields(without_keys, "rtcdc", "rtcdc.message_type", "rtcdc.label", "frame.packet_flags_direction")
    assert dcep == [(OPEN, "chat", "0x00000002"), (ACK, "", "0x00000001")]
    text = fields(without_keys, "sctp.data_payload_proto_id == 51", "sctp.chunk_type")
    assert len(text) == 1
    assert HELLO_IN_HEX in bytes_of(without_keys, "sctp.data_payload_proto_id == 51")
    kinds = {kind for row in fields(without_keys, "sctp", "sctp.chunk_type") for kind in row[0].split(",")}
    assert {"1", "2", "3", "6", "10", "11", "64", "130"} <= kinds  # INIT to I-DATA, ABORT and RE-CONFIG


def test_the_tags_are_those_of_one_association(without_keys: Path) -> None:
    tags = {row[0] for row in fields(without_keys, "sctp && sctp.chunk_type != 1", "sctp.verification_tag")}
    assert len(tags) == 2


def test_with_keys_dtls_is_opened_down_to_the_text(with_keys: Path) -> None:
    assert len(fields(with_keys, f"dtls.handshake.type == {FINISHED}", "frame.number")) == 2
    written = bytes_of(with_keys, "dtls.record.content_type == 23")
    assert written.count("Decrypted DTLS") > 10
    assert HELLO_IN_HEX in written


def test_without_keys_nobody_opens_dtls_and_no_key_stands_in_the_file(without_keys: Path) -> None:
    assert fields(without_keys, f"dtls.handshake.type == {FINISHED}", "frame.number") == []
    assert "Decrypted DTLS" not in bytes_of(without_keys, "dtls")
    assert b"CLIENT_RANDOM" not in without_keys.read_bytes()
