"""The client's side of long-term credentials: what a challenge changes, and what is not believed."""

import pytest

from tests.webrtc.turn.network import ALICE, TRANSACTION_ID, UDP
from zwerm.webrtc.stun.attributes import NONCE, PASSWORD_ALGORITHMS, REALM, USERHASH, USERNAME, Algorithm, Attribute
from zwerm.webrtc.stun.integrity import Integrity, PasswordAlgorithm, long_term_key, userhash
from zwerm.webrtc.stun.message import Message, Method, request
from zwerm.webrtc.stun.nonce import SecurityFeatures, with_features
from zwerm.webrtc.turn.authentication import Authentication, Challenged

BARE = request(Method.ALLOCATE, TRANSACTION_ID, UDP)
SHA256 = Algorithm(PasswordAlgorithm.SHA256)
MD5 = Algorithm(PasswordAlgorithm.MD5)
PROMISES = with_features(SecurityFeatures.PASSWORD_ALGORITHMS, b"nonce")


def challenge(*attributes: Attribute, code: int = 401, nonce: bytes = b"nonce") -> Message:
    return BARE.error(code, "Unauthorized", REALM("zwerm"), NONCE(nonce), *attributes)


def key(algorithm: PasswordAlgorithm) -> bytes:
    return long_term_key("alice", "zwerm", "wonder", algorithm)


def test_nothing_is_sealed_before_it_is_asked_for() -> None:
    authentication = Authentication(ALICE)
    assert not authentication.is_challenged
    assert Message.parse(authentication.seal(BARE)).integrity is None


def test_an_old_server_is_answered_with_md5_and_sha1() -> None:
    authentication = Authentication(ALICE)
    assert authentication.receive_challenge(challenge()) is Challenged.RETRY
    sealed = Message.parse(authentication.seal(BARE))
    assert sealed.integrity is Integrity.SHA1
    assert sealed.has_integrity(key(PasswordAlgorithm.MD5))


def test_a_server_that_offers_sha256_gets_it_and_the_offer_back() -> None:
    authentication = Authentication(ALICE)
    offer = PASSWORD_ALGORITHMS((SHA256, MD5))
    assert authentication.receive_challenge(challenge(offer, nonce=PROMISES)) is Challenged.RETRY
    sealed = Message.parse(authentication.seal(BARE))
    assert sealed.integrity is Integrity.SHA256
    assert sealed.has_integrity(key(PasswordAlgorithm.SHA256))
    assert sealed.find(PASSWORD_ALGORITHMS) == (SHA256, MD5)


def test_a_promise_without_an_offer_was_tampered_with() -> None:
    authentication = Authentication(ALICE)
    assert authentication.receive_challenge(challenge(nonce=PROMISES)) is Challenged.DOWNGRADED
    assert authentication.receive_challenge(challenge(PASSWORD_ALGORITHMS((Algorithm(99),)))) is Challenged.DOWNGRADED


def test_an_offer_that_is_gone_later_was_tampered_with() -> None:
    authentication = Authentication(ALICE)
    authentication.receive_challenge(challenge(PASSWORD_ALGORITHMS((SHA256,)), nonce=PROMISES))
    assert authentication.receive_challenge(challenge(code=438, nonce=b"new")) is Challenged.DOWNGRADED


def test_a_server_that_keeps_names_secret_gets_a_hash() -> None:
    authentication = Authentication(ALICE)
    nonce = with_features(SecurityFeatures.USERNAME_ANONYMITY, b"nonce")
    authentication.receive_challenge(challenge(nonce=nonce))
    sealed = Message.parse(authentication.seal(BARE))
    assert sealed.find(USERHASH) == userhash("alice", "zwerm")
    assert sealed.find(USERNAME) is None


@pytest.mark.parametrize(
    "response",
    [
        BARE.error(401, "Unauthorized", REALM("zwerm")),
        BARE.error(401, "Unauthorized", NONCE(b"nonce")),
        challenge(code=403),
    ],
    ids=["no nonce", "no realm", "no challenge"],
)
def test_a_challenge_that_lacks_something_is_broken(response: Message) -> None:
    assert Authentication(ALICE).receive_challenge(response) is Challenged.BROKEN


def test_a_second_401_of_the_same_realm_is_an_answer() -> None:
    authentication = Authentication(ALICE)
    authentication.receive_challenge(challenge())
    assert authentication.receive_challenge(challenge()) is Challenged.WRONG_CREDENTIALS


def test_a_success_is_believed_when_it_is_sealed_and_an_error_without() -> None:
    authentication = Authentication(ALICE)
    assert authentication.accepts(BARE.success())
    authentication.receive_challenge(challenge(PASSWORD_ALGORITHMS((SHA256,)), nonce=PROMISES))
    right, wrong = key(PasswordAlgorithm.SHA256), bytes(32)
    for secret, integrity, is_believed in (
        (right, Integrity.SHA256, True),
        (wrong, Integrity.SHA256, False),
        (right, Integrity.SHA1, False),  # weaker than what was offered
    ):
        response = Message.parse(BARE.success().serialize(secret, integrity=integrity))
        assert authentication.accepts(response) is is_believed
    assert not authentication.accepts(Message.parse(BARE.success().serialize()))
    assert authentication.accepts(Message.parse(BARE.error(500, "Server Error").serialize()))
