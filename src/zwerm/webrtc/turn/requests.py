"""The requests of one TURN client that are in flight, each sealed, resent, and repeated when its nonce is stale."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Final

from zwerm.core.machine import Address, Instant
from zwerm.core.random import Random
from zwerm.webrtc.stun.attributes import ALTERNATE_SERVER, ERROR_CODE, Attribute
from zwerm.webrtc.stun.message import Message, MessageClass, Method, request
from zwerm.webrtc.stun.transaction import ClientTransaction, IntegrityViolated, Responded, Schedule
from zwerm.webrtc.turn.authentication import Authentication, Challenged
from zwerm.webrtc.turn.events import Failure, Remedy

MAX_RETRIES: Final = 3  # of one request after stale nonces; a server that wants more is broken

_ALLOCATION_MISMATCH: Final = 437
_REMEDIES: Final = {
    300: Remedy.OTHER_SERVER,
    437: Remedy.OTHER_PORT,
    486: Remedy.LATER,
    500: Remedy.LATER,
    508: Remedy.LATER,
}


@dataclasses.dataclass(slots=True)
class _Pending:
    message: Message  # without what seals it
    transaction: ClientTransaction
    succeed: Callable[[Message, Instant], None]
    fail: Callable[[Failure], None]
    schedule: Schedule
    retries: int = 0


class Requests:
    """Sends requests, and calls what was given with each when it succeeds or fails for good."""

    is_mismatched = False  # a request failed because the server knows no such allocation

    def __init__(self, server: Address, authentication: Authentication, random: Random) -> None:
        self._server = server
        self._authentication = authentication
        self._random = random
        self._pending: dict[bytes, _Pending] = {}
        self._transmits: list[bytes] = []

    def send(
        self,
        method: Method,
        attributes: list[Attribute],
        now: Instant,
        succeed: Callable[[Message, Instant], None],
        fail: Callable[[Failure], None],
        schedule: Schedule,
    ) -> None:
        message = request(method, self._random.randbytes(12), *attributes)
        self._start(_Pending(message, self._transaction(message, now, schedule), succeed, fail, schedule), now)

    def receive_message(self, message: Message, now: Instant) -> bool:
        """Offer a response that came from the server; return whether it belonged to a request."""
        pending = self._pending.get(message.transaction_id)
        if pending is None or message.method != pending.message.method:
            return False
        is_taken = pending.transaction.receive_message(message, self._server)
        self._settle(pending, now)
        return is_taken

    def handle_timeout(self, now: Instant) -> None:
        for pending in list(self._pending.values()):
            pending.transaction.handle_timeout(now)
            self._settle(pending, now)

    def abandon(self) -> None:
        """Forget all of them: nothing more is sent, and nothing called."""
        for pending in self._pending.values():
            pending.transaction.abandon()
        self._pending.clear()
        self._transmits.clear()

    def take_transmits(self) -> list[bytes]:
        transmits, self._transmits = self._transmits, []
        return transmits

    def next_timeout(self) -> Instant | None:
        deadlines = (pending.transaction.next_timeout() for pending in self._pending.values())
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    def _transaction(self, message: Message, now: Instant, schedule: Schedule) -> ClientTransaction:
        data = self._authentication.seal(message)
        return ClientTransaction(data, self._server, now=now, schedule=schedule, verdict=self._authentication.accepts)

    def _start(self, pending: _Pending, now: Instant) -> None:
        self._pending[pending.message.transaction_id] = pending
        self._settle(pending, now)

    def _settle(self, pending: _Pending, now: Instant) -> None:
        """Take out what a transaction has to say; it may be the end of it."""
        if (transmit := pending.transaction.next_transmit()) is not None:
            self._transmits.append(transmit.data)
        event = pending.transaction.next_event()
        if event is None:
            return
        self._pending.pop(pending.message.transaction_id, None)
        if isinstance(event, Responded):
            self._receive_response(pending, event.message, now)
        elif isinstance(event, IntegrityViolated):
            pending.fail(Failure("what came back was not made by this server", remedy=Remedy.OTHER_SERVER))
        else:
            pending.fail(Failure("the server did not answer", remedy=Remedy.OTHER_SERVER))

    def _receive_response(self, pending: _Pending, response: Message, now: Instant) -> None:
        if response.message_class is MessageClass.SUCCESS:
            pending.succeed(response, now)
            return
        error = response.find(ERROR_CODE)
        code = error.code if error is not None else None
        if code in (401, 438):
            challenged = self._authentication.receive_challenge(response)
            if challenged is Challenged.RETRY and pending.retries < MAX_RETRIES:
                self._retry(pending, now)
            else:
                pending.fail(Failure(challenged.value, code))
            return
        failure = Failure(error.reason if error else "", code, _REMEDIES.get(code or 0, Remedy.NONE))
        if code == 300:
            failure = dataclasses.replace(failure, alternate=response.find(ALTERNATE_SERVER))
        self.is_mismatched |= code == _ALLOCATION_MISMATCH
        pending.fail(failure)

    def _retry(self, pending: _Pending, now: Instant) -> None:
        message = dataclasses.replace(pending.message, transaction_id=self._random.randbytes(12))
        transaction = self._transaction(message, now, pending.schedule)
        self._start(
            dataclasses.replace(pending, message=message, transaction=transaction, retries=pending.retries + 1), now
        )
