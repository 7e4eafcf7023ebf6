"""Times the RFCs forbid are refused."""

import pytest

from zwerm.core.errors import LocalProtocolError
from zwerm.webrtc.ice.config import Config, Role, TurnServer


@pytest.mark.parametrize(
    "times",
    [{"ta": 0.004}, {"ta_triggered": 0.001}, {"consent_interval": 3.9}, {"consent_timeout": 31.0}],
    ids=lambda times: next(iter(times)),
)
def test_times_the_rfcs_forbid_are_refused(times: dict[str, float]) -> None:
    with pytest.raises(LocalProtocolError):
        Config(**times)  # type: ignore[arg-type]


def test_each_role_has_the_other() -> None:
    assert Role.CONTROLLING.other is Role.CONTROLLED
    assert Role.CONTROLLED.other is Role.CONTROLLING


def test_a_password_is_not_shown() -> None:
    assert "secret" not in repr(TurnServer(("192.0.2.1", 1), "user", "secret"))
