"""RFC 8839 section 5.4: fragments and passwords."""

import pytest

from zwerm.core.errors import WireError
from zwerm.core.random import seeded
from zwerm.webrtc.ice.credentials import Credentials


def test_drawn_ones_are_valid_and_differ() -> None:
    first, second = Credentials.random(seeded(1)), Credentials.random(seeded(2))
    assert first != second
    assert Credentials.parse(first.ufrag, first.password) == first
    assert first.key == first.password.encode()


def test_the_password_is_not_shown() -> None:
    credentials = Credentials.random(seeded(1))
    assert credentials.password not in repr(credentials)


@pytest.mark.parametrize(
    ("ufrag", "password"),
    [
        ("abc", "p" * 22),
        ("u" * 257, "p" * 22),
        ("ab:d", "p" * 22),
        ("abcd", "p" * 21),
        ("abcd", "p" * 257),
        ("abcd", "p" * 21 + " "),
        ("ab\nd", "p" * 22),
        ("äbcd", "p" * 22),
    ],
)
def test_what_is_too_short_too_long_or_of_other_characters_is_refused(ufrag: str, password: str) -> None:
    with pytest.raises(WireError):
        Credentials.parse(ufrag, password)


@pytest.mark.parametrize("ufrag", ["abcd", "EEtu", "libp2p+webrtc+v1/Zm9v", "u" * 256, "a=b_", "a-b_c"])
def test_what_is_met_in_the_field_is_taken(ufrag: str) -> None:
    assert Credentials.parse(ufrag, "p" * 22).ufrag == ufrag
