"""What an association may use, and what cannot work."""

from __future__ import annotations

import pytest

from zwerm.core.errors import LocalProtocolError
from zwerm.webrtc.sctp.config import Config


def test_the_default_offers_sixteen_mebibytes_and_fits_a_browsers_datagram() -> None:
    config = Config()
    assert config.receive_window == 16 * 1_048_576
    assert config.packet_size + 37 <= 1_200  # a record of DTLS 1.2 around it


@pytest.mark.parametrize(
    "wrong",
    [
        {"packet_size": 508},
        {"packet_size": 1_161},
        {"packet_size": 16_388},
        {"outbound_streams": 0},
        {"inbound_streams": 65_536},
        {"port": 0},
        {"remote_port": 65_536},
        {"receive_window": 1_499},
    ],
    ids=str,
)
def test_what_cannot_work_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(LocalProtocolError):
        Config(**wrong)  # type: ignore[arg-type]
