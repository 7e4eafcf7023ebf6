"""What a remote description may not make us send to, in every spelling."""

import ipaddress

import pytest

from zwerm.webrtc.ice.address_policy import LOOPBACK, refusal

REFUSED = [
    ("127.0.0.1", "loopback"),
    ("127.255.255.254", "loopback"),
    ("::1", "loopback"),
    ("::ffff:127.0.0.1", "loopback"),
    ("::127.0.0.1", "loopback"),
    ("64:ff9b::127.0.0.1", "loopback"),
    ("64:ff9b:1::7f00:1", "loopback"),
    ("2002:7f00:1::", "loopback"),
    ("0.0.0.0", "unspecified"),
    ("0.1.2.3", "unspecified"),
    ("::", "unspecified"),
    ("::ffff:0.0.0.0", "unspecified"),
    ("169.254.169.254", "metadata"),
    ("169.254.170.2", "metadata"),
    ("::ffff:169.254.169.254", "metadata"),
    ("64:ff9b::a9fe:a9fe", "metadata"),
    ("2002:a9fe:a9fe::1", "metadata"),
    ("2001:0:53aa:64c:0:0:5601:5601", "metadata"),  # Teredo: the client's address is inverted
    ("fd00:ec2::254", "metadata"),
    ("100.100.100.200", "metadata"),
    ("168.63.129.16", "metadata"),
    ("224.0.0.251", "multicast"),
    ("239.255.255.250", "multicast"),
    ("ff02::fb", "multicast"),
    ("255.255.255.255", "broadcast"),
    ("240.0.0.1", "broadcast"),
    ("fe80::1", "link-local"),
]


@pytest.mark.parametrize(("host", "reason"), REFUSED)
def test_it_is_refused_and_the_reason_says_why(host: str, reason: str) -> None:
    assert reason in (refusal(host) or "")


@pytest.mark.parametrize(
    "host",
    ["192.0.2.1", "10.0.0.1", "192.168.1.1", "172.16.0.1", "100.64.0.1", "169.254.7.7", "2001:db8::1", "fd00::1"],
)
def test_public_and_private_addresses_are_fine(host: str) -> None:
    assert refusal(host) is None


def test_what_is_allowed_is_fine_and_nothing_beside_it() -> None:
    assert refusal("127.0.0.1", LOOPBACK) is None
    assert refusal("::1", LOOPBACK) is None
    assert refusal("::ffff:127.0.0.1", LOOPBACK) is not None
    assert refusal("169.254.169.254", (ipaddress.ip_network("169.254.0.0/16"),)) is None
    assert refusal("224.0.0.1", LOOPBACK) is not None
