"""draft-ietf-opsawg-pcapng: blocks as the draft lays them out."""

from __future__ import annotations

import struct

import pytest

from tests.webrtc.capture.reader import Packet, blocks, options, packets
from zwerm.webrtc.capture import pcapng


def test_a_section_header_shows_byte_order_version_and_who_wrote_it() -> None:
    (block,) = blocks(pcapng.section_header("zwerm"))
    assert block.kind == 0x0A0D0D0A
    assert block.body[:16] == bytes.fromhex("4d3c2b1a 0100 0000 ffffffffffffffff")
    assert options(block.body[16:]) == {4: b"zwerm"}


def test_an_interface_says_what_its_packets_begin_with() -> None:
    (block,) = blocks(pcapng.interface(pcapng.LINKTYPE_RAW, "udp", "datagrams"))
    assert block.kind == 1
    assert struct.unpack_from("<HHI", block.body) == (101, 0, 0)
    assert options(block.body[8:]) == {2: b"udp", 3: b"datagrams"}


@pytest.mark.parametrize("size", range(9))
def test_a_packet_of_any_size_is_padded_and_found_again(size: int) -> None:
    data = bytes(range(1, size + 1))
    written = pcapng.packet(1, 1_700_000_000_123_456, data, pcapng.OUTBOUND)
    assert len(written) - pcapng.PACKET_OVERHEAD in range(size, size + 4)
    assert packets(written) == [Packet(1, 1_700_000_000_123_456, data, 2)]


def test_secrets_are_the_lines_of_a_key_log() -> None:
    (block,) = blocks(pcapng.secrets(b"CLIENT_RANDOM aa bb\n"))
    assert block.kind == 10
    assert struct.unpack_from("<II", block.body) == (0x544C534B, 20)
    assert block.body[8:] == b"CLIENT_RANDOM aa bb\n"
