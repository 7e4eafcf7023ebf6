"""What both secure channels do alike: checking who it is, and agreeing on a muxer."""

import pytest

from zwerm.core.errors import WireError
from zwerm.identity.keys import PrivateKey
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.secure import check_peer_untrusted, choose_muxer_untrusted


def test_the_peer_must_be_the_one_expected() -> None:
    key = PrivateKey.generate().public
    peer, other = PeerId.of(key), PeerId.of(PrivateKey.generate().public)
    assert check_peer_untrusted(key, None) == check_peer_untrusted(key, peer) == peer
    with pytest.raises(WireError, match=f"the peer is {peer}, expected {other}"):
        check_peer_untrusted(key, other)


@pytest.mark.parametrize(
    ("initiator", "responder", "muxer"),
    [(["b", "a"], ["a", "b"], "b"), (["c", "a"], ["a", "b"], "a"), ([], ["a"], None), (["a"], [], None)],
    ids=["the initiator's order", "the first in common", "initiator without", "responder without"],
)
def test_the_initiator_has_the_choice(initiator: list[str], responder: list[str], muxer: str | None) -> None:
    assert choose_muxer_untrusted(initiator, responder) == muxer


def test_muxers_of_which_none_is_the_same_are_a_failure() -> None:
    with pytest.raises(WireError, match="muxers a and b have none in common"):
        choose_muxer_untrusted(["a"], ["b"])
