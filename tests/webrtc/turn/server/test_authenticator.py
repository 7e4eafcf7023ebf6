"""Whom a TURN server lets in (RFC 8489 section 9.2), and what guessing comes to."""

import pytest

from tests.webrtc.turn.network import (
    BOB,
    PEER,
    TRANSACTION_ID,
    UDP,
    UNIX_TIME,
    Lab,
    Raw,
    allocated,
    code_of,
)
from zwerm.webrtc.stun.attributes import (
    CHANNEL_NUMBER,
    LIFETIME,
    NONCE,
    PASSWORD_ALGORITHM,
    PASSWORD_ALGORITHMS,
    REALM,
    USERNAME,
    XOR_PEER_ADDRESS,
    Algorithm,
    Attribute,
)
from zwerm.webrtc.stun.integrity import Integrity, long_term_key
from zwerm.webrtc.stun.message import Message, Method, request
from zwerm.webrtc.turn.credentials import Users, time_limited


def test_a_challenge_says_what_rfc_8489_wants() -> None:
    response = Lab().raw().ask(Method.ALLOCATE, UDP)
    assert response is not None
    assert code_of(response) == 401
    assert response.find(REALM) == "zwerm"
    assert response.find(NONCE)
    assert response.find(PASSWORD_ALGORITHMS) == (Algorithm(2), Algorithm(1))
    assert response.integrity is None


def seal_as_before_rfc_8489(raw: Raw, nonce: bytes, password: str = "wonder") -> Message | None:
    """MD5 and SHA-1, as browsers and coturn's clients do."""
    message = request(Method.ALLOCATE, TRANSACTION_ID, UDP, USERNAME("alice"), REALM("zwerm"), NONCE(nonce))
    raw.send(message.serialize(long_term_key("alice", "zwerm", password)))
    answers = raw.take()
    return Message.parse(answers[-1]) if answers else None


def nonce_for(raw: Raw) -> bytes:
    challenge = raw.ask(Method.ALLOCATE, UDP)
    assert challenge is not None
    nonce = challenge.find(NONCE)
    assert nonce is not None
    return nonce


def test_a_client_of_the_old_kind_is_answered_in_kind() -> None:
    raw = Lab().raw()
    response = seal_as_before_rfc_8489(raw, nonce_for(raw))
    assert response is not None
    assert code_of(response) == 0
    assert response.integrity is Integrity.SHA1
    assert response.has_integrity(long_term_key("alice", "zwerm", "wonder"))


@pytest.mark.parametrize(
    "attributes",
    [
        [NONCE(b"n")],
        [USERNAME("alice"), REALM("zwerm")],
        [USERNAME("alice"), NONCE(b"n")],
    ],
    ids=["no name", "no nonce", "no realm"],
)
def test_a_seal_without_what_it_needs_is_a_bad_request(attributes: list[Attribute]) -> None:
    raw = Lab().raw()
    raw.send(request(Method.ALLOCATE, TRANSACTION_ID, UDP, *attributes).serialize(b"key"))
    assert code_of(Message.parse(raw.take()[0])) == 400


@pytest.mark.parametrize(
    "attributes",
    [
        [PASSWORD_ALGORITHMS((Algorithm(1),)), PASSWORD_ALGORITHM(Algorithm(1))],
        [PASSWORD_ALGORITHM(Algorithm(1))],
        [PASSWORD_ALGORITHMS((Algorithm(2), Algorithm(1))), PASSWORD_ALGORITHM(Algorithm(7))],
    ],
    ids=["the offer was changed", "no offer", "something else"],
)
def test_an_offer_that_was_changed_on_the_way_is_refused(attributes: list[Attribute]) -> None:
    raw = Lab().raw()
    sealed = [USERNAME("alice"), REALM("zwerm"), NONCE(nonce_for(raw)), *attributes]
    message = request(Method.ALLOCATE, TRANSACTION_ID, UDP, *sealed)
    raw.send(message.serialize(long_term_key("alice", "zwerm", "wonder")))
    assert code_of(Message.parse(raw.take()[0])) == 400


def test_a_nonce_is_of_use_only_where_it_was_sent_to_and_for_its_time() -> None:
    lab = Lab()
    raw, thief = lab.raw(), lab.raw("192.0.2.66")
    nonce = nonce_for(raw)
    assert code_of(seal_as_before_rfc_8489(thief, nonce)) == 438
    lab.clock.run_for(601.0)
    assert code_of(seal_as_before_rfc_8489(raw, nonce)) == 438


def test_guessing_is_limited_and_even_the_right_password_is_not_heard_after_it() -> None:
    lab = Lab(max_failures=5, failure_window=60.0)
    raw, neighbour = lab.raw(), lab.raw("192.0.2.21")
    nonce = nonce_for(raw)
    codes = [code_of(seal_as_before_rfc_8489(raw, nonce, f"guess {number}")) for number in range(8)]
    assert codes == [401] * 5 + [-1] * 3
    assert code_of(seal_as_before_rfc_8489(raw, nonce)) == -1
    assert code_of(neighbour.allocate()) == 0
    assert lab.host.server.statistics().wrong_credentials == 5
    lab.clock.run_for(61.0)
    assert code_of(seal_as_before_rfc_8489(raw, nonce)) == 0


def test_a_made_up_nonce_does_not_tell_whether_a_guess_was_right() -> None:
    raw = Lab().raw()
    assert code_of(seal_as_before_rfc_8489(raw, b"made up", "wrong")) == 438
    assert code_of(seal_as_before_rfc_8489(raw, b"made up", "wonder")) == 438


def test_a_host_is_challenged_only_so_often() -> None:
    """A challenge is larger than what asks for it, and goes to whoever is named as its source."""
    lab = Lab(challenges_per_second=10.0)
    raw = lab.raw()
    answered = sum(raw.ask(Method.ALLOCATE, UDP) is not None for _ in range(100))
    assert answered == 20
    lab.clock.run_for(1.0)
    assert raw.ask(Method.ALLOCATE, UDP) is not None


def test_an_allocation_is_its_makers_alone() -> None:
    lab = Lab()
    raw = allocated(lab)
    other = Raw.__new__(Raw)
    other.__dict__ = dict(raw.__dict__)
    other.authentication = type(raw.authentication)(BOB)
    challenge = Message.parse(_challenge(other))
    other.authentication.receive_challenge(challenge)
    for method, attributes in [
        (Method.REFRESH, [LIFETIME(0)]),
        (Method.CREATE_PERMISSION, [XOR_PEER_ADDRESS(PEER)]),
        (Method.CHANNEL_BIND, [XOR_PEER_ADDRESS(PEER), CHANNEL_NUMBER(0x4000)]),
        (Method.ALLOCATE, [UDP]),
    ]:
        assert code_of(other.ask(method, *attributes)) == 441
    assert lab.host.relays


def _challenge(raw: Raw) -> bytes:
    raw.send(request(Method.REFRESH, TRANSACTION_ID).serialize())
    return raw.take()[-1]


def test_a_time_limited_name_opens_and_goes_on_refreshing_what_it_opened() -> None:
    lab = Lab(Users("zwerm", {}, ("secret",)))
    credential = time_limited("secret", "carol", int(UNIX_TIME) + 100)
    raw = allocated(lab, credential=credential)
    lab.clock.run_for(200.0)
    assert code_of(raw.ask(Method.REFRESH)) == 0
    late = lab.raw("192.0.2.21", credential)
    assert code_of(late.allocate()) == 401
