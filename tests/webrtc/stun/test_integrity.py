"""Keys and the strings they are made of."""

import pytest

from tests.webrtc.stun.vectors import LONG_TERM, USERHASH_REQUEST
from zwerm.core.errors import LocalProtocolError
from zwerm.webrtc.stun.integrity import PasswordAlgorithm, long_term_key, opaque_string, short_term_key, userhash


def test_the_long_term_key_printed_in_rfc_8489() -> None:
    """Section 18.5.1.1: user "user", realm "realm", password "pass"."""
    assert long_term_key("user", "realm", "pass").hex() == "8493fbc53ba582fb4c044c456bdc40eb"


def test_the_two_algorithms_give_different_keys() -> None:
    assert len(long_term_key("user", "realm", "pass", PasswordAlgorithm.SHA256)) == 32


def test_the_userhash_of_rfc_8489() -> None:
    assert userhash(*LONG_TERM[:2]) == USERHASH_REQUEST[24:56]


def test_one_password_typed_in_two_ways_is_one_password() -> None:
    assert short_term_key("pa\u030ass\u00a0word") == short_term_key("p\u00e5ss word") == "p\u00e5ss word".encode()
    assert opaque_string("VOkJxbRl1RmTxUk/WvJxBt") == "VOkJxbRl1RmTxUk/WvJxBt"


@pytest.mark.parametrize("text", ["", "a\0b", "\ud800"], ids=["nothing", "control character", "half a character"])
def test_what_cannot_be_a_password_is_refused(text: str) -> None:
    with pytest.raises(LocalProtocolError):
        opaque_string(text)
