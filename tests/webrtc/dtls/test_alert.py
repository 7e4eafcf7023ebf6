"""RFC 5246 section 7.2: alerts."""

import pytest

from zwerm.core.errors import WireError
from zwerm.webrtc.dtls.alert import CLOSE_NOTIFY, Alert, AlertDescription, AlertLevel


def test_alerts_are_read_and_written() -> None:
    assert CLOSE_NOTIFY.serialize() == b"\x01\x00"
    assert Alert.parse(b"\x02\x2a") == (AlertLevel.FATAL, AlertDescription.BAD_CERTIFICATE)
    assert str(Alert.parse(b"\x02\x2a")) == "bad_certificate"


def test_an_unknown_description_is_kept() -> None:
    alert = Alert.parse(b"\x02\xee")
    assert alert.serialize() == b"\x02\xee"
    assert str(alert) == "alert 238"


@pytest.mark.parametrize("wire", [b"", b"\x02", b"\x00\x00", b"\x03\x00", b"\x01\x00\x00"], ids=bytes.hex)
def test_what_is_no_alert_is_refused(wire: bytes) -> None:
    with pytest.raises(WireError):
        Alert.parse(wire)
