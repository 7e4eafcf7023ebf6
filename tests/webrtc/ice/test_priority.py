"""RFC 8445 sections 5.1.2 and 6.1.2.3, RFC 8421 section 4, RFC 6544 section 4.2: the numbers."""

import pytest

from zwerm.core.errors import LocalProtocolError
from zwerm.webrtc.ice.candidate import CandidateType, TcpType
from zwerm.webrtc.ice.priority import candidate_priority, pair_priority, peer_reflexive_priority, rank_addresses


def test_the_numbers_of_the_rfcs_examples() -> None:
    """RFC 8839 section 5.1 has a host candidate of 2130706431, browsers know the number by heart."""
    assert candidate_priority(CandidateType.HOST, 0) == 2_130_706_431
    assert candidate_priority(CandidateType.SERVER_REFLEXIVE, 0) == 1_694_498_815
    assert peer_reflexive_priority(2_130_706_431) == 110 << 24 | 0xFFFFFF


def test_a_pair_weighs_the_smaller_priority_first_and_both_sides_agree() -> None:
    """2^32 * MIN(G, D) + 2 * MAX(G, D) + (G > D ? 1 : 0)."""
    assert pair_priority(3, 5) == 2**32 * 3 + 10
    assert pair_priority(5, 3) == 2**32 * 3 + 10 + 1
    assert pair_priority(4, 4) == 2**32 * 4 + 8


def test_types_come_before_addresses_and_udp_before_tcp() -> None:
    order = [
        candidate_priority(CandidateType.HOST, 31),
        candidate_priority(CandidateType.PEER_REFLEXIVE, 0),
        candidate_priority(CandidateType.SERVER_REFLEXIVE, 0),
        candidate_priority(CandidateType.HOST, 0, tcp_type=TcpType.ACTIVE),
        candidate_priority(CandidateType.HOST, 0, tcp_type=TcpType.PASSIVE),
        candidate_priority(CandidateType.HOST, 0, tcp_type=TcpType.SIMULTANEOUS_OPEN),
        candidate_priority(CandidateType.RELAYED, 0),
        candidate_priority(CandidateType.RELAYED, 0, server=1),
        candidate_priority(CandidateType.RELAYED, 0, over_tcp=True),
    ]
    assert order == sorted(order, reverse=True)
    assert all(0 < priority < 2**31 for priority in order)


@pytest.mark.parametrize("kind", CandidateType)
def test_no_two_addresses_or_servers_share_a_priority(kind: CandidateType) -> None:
    """Section 5.1.2: unique among the candidates of one type."""
    priorities = {candidate_priority(kind, rank, server=server) for rank in range(32) for server in range(8)}
    assert len(priorities) == 32 * 8


def test_the_families_take_turns_and_ipv6_begins() -> None:
    """RFC 8421 section 4."""
    ranks = rank_addresses(["192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2"])
    assert sorted(ranks, key=ranks.__getitem__) == ["2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2"]


def test_the_only_ipv4_address_does_not_wait_for_all_of_ipv6() -> None:
    hosts = [*(f"2001:db8::{number}" for number in range(1, 7)), "192.0.2.1"]
    ranks = rank_addresses(hosts)
    assert ranks["192.0.2.1"] == 1
    assert sorted(ranks.values()) == list(range(7))


def test_small_scopes_come_last_in_their_family() -> None:
    ranks = rank_addresses(["127.0.0.1", "169.254.7.7", "192.0.2.1", "fe80::1%eth0", "2001:db8::1"])
    assert ranks["192.0.2.1"] < ranks["169.254.7.7"] < ranks["127.0.0.1"]
    assert ranks["2001:db8::1"] < ranks["fe80::1%eth0"]


def test_a_name_has_no_rank() -> None:
    with pytest.raises(LocalProtocolError):
        rank_addresses(["localhost"])
