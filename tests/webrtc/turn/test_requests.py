"""Requests in flight: resent, sealed when that is asked for, and settled once."""

from tests.webrtc.turn.network import ALICE, SERVER, UDP
from zwerm.core.machine import Instant
from zwerm.core.random import seeded
from zwerm.webrtc.stun.attributes import ALTERNATE_SERVER, NONCE, REALM, USERNAME, Attribute
from zwerm.webrtc.stun.integrity import PasswordAlgorithm, long_term_key
from zwerm.webrtc.stun.message import Message, Method
from zwerm.webrtc.stun.transaction import UNRELIABLE
from zwerm.webrtc.turn.authentication import Authentication
from zwerm.webrtc.turn.events import Failure, Remedy
from zwerm.webrtc.turn.requests import MAX_RETRIES, Requests

KEY = long_term_key("alice", "zwerm", "wonder", PasswordAlgorithm.MD5)
OTHER = ("192.0.2.77", 3_478)


class Asked:
    """One Allocate request, what was sent of it, and how it ended."""

    def __init__(self) -> None:
        self.requests = Requests(SERVER, Authentication(ALICE), seeded("requests"))
        self.succeeded: list[Message] = []
        self.failed: list[Failure] = []
        self.requests.send(Method.ALLOCATE, [UDP], 0.0, self._succeed, self.failed.append, UNRELIABLE)

    def _succeed(self, message: Message, _now: Instant) -> None:
        self.succeeded.append(message)

    def sent(self) -> list[Message]:
        return [Message.parse(data) for data in self.requests.take_transmits()]

    def answer(self, response: Message, key: bytes | None = None) -> bool:
        data = response.serialize() if key is None else response.serialize(key)
        return self.requests.receive_message(Message.parse(data), 0.0)


def challenge(request: Message, code: int, nonce: bytes, *attributes: Attribute) -> Message:
    return request.error(code, "Unauthorized", REALM("zwerm"), NONCE(nonce), *attributes)


def test_a_challenge_is_answered_with_the_same_request_sealed() -> None:
    asked = Asked()
    (bare,) = asked.sent()
    assert bare.integrity is None
    assert asked.answer(challenge(bare, 401, b"first"))
    (sealed,) = asked.sent()
    assert sealed.transaction_id != bare.transaction_id
    assert sealed.find(USERNAME) == "alice"
    assert sealed.has_integrity(KEY)
    assert asked.answer(sealed.success(), KEY)
    assert len(asked.succeeded) == 1
    assert asked.requests.next_timeout() is None


def test_a_stale_nonce_is_replaced_a_few_times_and_no_more() -> None:
    asked = Asked()
    asked.answer(challenge(asked.sent()[0], 401, b"first"))
    for number in range(MAX_RETRIES):
        assert not asked.failed
        asked.answer(challenge(asked.sent()[0], 438, b"%d" % number))
    assert [failure.code for failure in asked.failed] == [438]


def test_the_same_challenge_twice_means_that_the_password_is_wrong() -> None:
    asked = Asked()
    for _ in range(2):
        asked.answer(challenge(asked.sent()[0], 401, b"first"))
    assert "password is wrong" in asked.failed[0].reason


def test_a_server_that_names_another_is_told_with_its_address() -> None:
    asked = Asked()
    asked.answer(asked.sent()[0].error(300, "Try Alternate", ALTERNATE_SERVER(OTHER)))
    assert asked.failed == [Failure("Try Alternate", 300, Remedy.OTHER_SERVER, OTHER)]


def test_a_full_server_is_one_to_come_back_to() -> None:
    asked = Asked()
    asked.answer(asked.sent()[0].error(486, "Allocation Quota Reached"))
    assert asked.failed[0].remedy is Remedy.LATER
    assert not asked.requests.is_mismatched


def test_a_mismatch_is_remembered() -> None:
    asked = Asked()
    asked.answer(asked.sent()[0].error(437, "Allocation Mismatch"))
    assert asked.requests.is_mismatched


def test_answers_that_belong_to_nothing_are_not_taken() -> None:
    asked = Asked()
    (sent,) = asked.sent()
    other = Message(Method.REFRESH, sent.message_class, sent.transaction_id, [])
    assert not asked.answer(other.success())
    assert not asked.answer(Message(Method.ALLOCATE, sent.message_class, bytes(12), []).success())
    assert not asked.succeeded


def test_silence_is_a_failure_after_the_last_wait() -> None:
    asked, now, sent = Asked(), 0.0, 0
    while (due := asked.requests.next_timeout()) is not None:
        sent += len(asked.sent())
        now = due
        asked.requests.handle_timeout(now)
    assert sent == UNRELIABLE.rc
    assert now == 39.5
    assert asked.failed == [Failure("the server did not answer", remedy=Remedy.OTHER_SERVER)]


def test_what_is_abandoned_says_nothing_more() -> None:
    asked = Asked()
    asked.requests.abandon()
    assert asked.sent() == []
    assert asked.requests.next_timeout() is None
    assert not asked.failed
