"""Who is let in, and until when."""

import pytest

from zwerm.core.errors import LocalProtocolError
from zwerm.webrtc.stun.integrity import userhash
from zwerm.webrtc.turn.credentials import Users, expiry_of, password_of, person_of, time_limited

NOW = 1_700_000_000.0
USERS = Users("zwerm", {"alice": "wonder"}, ("secret", "older"))


def test_a_known_name_has_its_password() -> None:
    assert USERS.passwords("alice", NOW) == ("wonder",)
    assert USERS.passwords("bob", NOW) == ()


def test_a_time_limited_name_opens_until_its_time() -> None:
    credential = time_limited("secret", "bob", int(NOW) + 60)
    assert credential.username == "1700000060:bob"
    assert credential.password in USERS.passwords(credential.username, NOW)
    assert USERS.passwords(credential.username, NOW + 60) == ()


def test_while_a_secret_is_changed_both_open() -> None:
    username = "1700000060:bob"
    assert USERS.passwords(username, NOW) == (password_of("secret", username), password_of("older", username))


@pytest.mark.parametrize(
    ("username", "expires_at"),
    [
        ("1700000060:bob", 1_700_000_060),
        ("28224511:1379330808", 1_379_330_808),
        ("1700000060", 1_700_000_060),
        ("1700000060:9999999999", 1_700_000_060),
        ("bob:1700000060", 1_700_000_060),
        ("bob", None),
        ("bob:alice", None),
        ("12:34", None),
        ("", None),
        ("²700000060:bob", None),
        ("9" * 40, None),
    ],
    ids=lambda value: f"{value}"[:24] or "nothing",
)
def test_the_time_in_a_name(username: str, expires_at: int | None) -> None:
    assert expiry_of(username) == expires_at


def test_the_password_of_the_draft_is_an_hmac_of_the_name() -> None:
    assert password_of("north", "1700000060:bob") == password_of("north", "1700000060:bob")
    assert len(password_of("north", "28224511:1379330808")) == 28


def test_a_time_far_away_is_no_time() -> None:
    assert USERS.passwords("999999999999:bob", NOW) == ()


def test_a_new_name_of_the_same_user_is_the_same_person() -> None:
    assert person_of("1700000060:bob") == person_of("1700009999:bob") == person_of("bob:1700000060") == "bob"
    assert person_of("alice") == "alice"
    assert person_of("1700000060") == ""


def test_a_hash_is_found_only_where_names_are_known() -> None:
    users = Users("zwerm", {"alice": "wonder"})
    assert users.can_be_anonymous
    assert users.name_of(userhash("alice", "zwerm")) == "alice"
    assert users.name_of(bytes(32)) is None
    assert not USERS.can_be_anonymous


def test_a_server_that_lets_nobody_in_is_a_mistake() -> None:
    with pytest.raises(LocalProtocolError):
        Users("zwerm")
    with pytest.raises(LocalProtocolError):
        Users("zwerm", {"": "x"})
    with pytest.raises(LocalProtocolError):
        time_limited("secret", "a:b", int(NOW))


def test_secrets_do_not_show() -> None:
    assert time_limited("secret", "bob", int(NOW)).password not in repr(time_limited("secret", "bob", int(NOW)))
