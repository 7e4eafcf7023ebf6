"""What a server tells in its nonce."""

import pytest

from zwerm.webrtc.stun.nonce import SecurityFeatures, features_of, with_features


def test_the_nonce_of_rfc_8489_appendix_b_tells_of_username_anonymity() -> None:
    nonce = b"obMatJos2AAACf//499k954d6OL34oL9FSTvy64sA"
    assert features_of(nonce) is SecurityFeatures.USERNAME_ANONYMITY
    assert with_features(SecurityFeatures.USERNAME_ANONYMITY, b"f//499k954d6OL34oL9FSTvy64sA") == nonce


@pytest.mark.parametrize(
    "nonce", [b"", b"f//499k954d6OL34oL9FSTvy64sA", b"obMatJos2", b"obMatJos2AA", b"obMatJos2@@@@"]
)
def test_a_nonce_without_the_cookie_tells_nothing(nonce: bytes) -> None:
    assert features_of(nonce) is SecurityFeatures.NONE


def test_features_of_tomorrow_are_left_out() -> None:
    assert (
        features_of(b"obMatJos2////rest") == SecurityFeatures.PASSWORD_ALGORITHMS | SecurityFeatures.USERNAME_ANONYMITY
    )
