"""RFC 9260 section 5.1.3: the state cookie."""

import pytest

from zwerm.core.errors import WireError
from zwerm.webrtc.sctp.chunks.init import Features
from zwerm.webrtc.sctp.cookie import SIZE, Cookie

KEY = bytes(range(32))
COOKIE = Cookie(12_500, 1, 2, 3, 4, 5, 6, 7, Features(reconfiguration=True, zero_checksum=True), 8, 9)


def test_a_cookie_comes_back_as_it_was() -> None:
    assert Cookie.parse(COOKIE.serialize(KEY), KEY) == COOKIE
    assert len(COOKIE.serialize(KEY)) == SIZE


def test_any_changed_byte_is_noticed() -> None:
    wire = COOKIE.serialize(KEY)
    for index in range(len(wire)):
        changed = bytearray(wire)
        changed[index] ^= 1
        with pytest.raises(WireError, match="did not make"):
            Cookie.parse(bytes(changed), KEY)


@pytest.mark.parametrize("size", [0, 1, SIZE - 1, SIZE + 1])
def test_another_length_is_refused(size: int) -> None:
    with pytest.raises(WireError, match="did not make"):
        Cookie.parse((COOKIE.serialize(KEY) + b"x")[:size], KEY)


def test_the_key_of_another_association_does_not_fit() -> None:
    with pytest.raises(WireError, match="did not make"):
        Cookie.parse(COOKIE.serialize(KEY), bytes(32))
