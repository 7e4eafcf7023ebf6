"""What a TURN client tells: every failure has a remedy in words."""

from zwerm.webrtc.turn.events import DataReceived, Failure, Remedy


def test_a_failure_without_more_has_no_remedy() -> None:
    failure = Failure("Forbidden", 403)
    assert failure.remedy is Remedy.NONE
    assert failure.alternate is None


def test_every_remedy_is_a_sentence_of_its_own() -> None:
    assert len({remedy.value for remedy in Remedy}) == len(Remedy)
    assert all(": " in remedy.value for remedy in Remedy if remedy is not Remedy.LATER)


def test_data_is_a_tuple() -> None:
    assert DataReceived(b"data", ("192.0.2.1", 1)) == (b"data", ("192.0.2.1", 1))
