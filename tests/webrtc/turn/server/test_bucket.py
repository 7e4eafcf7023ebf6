"""So much at once, so much on average."""

from zwerm.webrtc.turn.server.bucket import TokenBucket


def test_a_bucket_gives_what_is_in_it_and_fills_with_time() -> None:
    bucket = TokenBucket(rate=10.0, burst=20.0, now=5.0)
    assert bucket.take(20, 5.0)
    assert not bucket.take(1, 5.0)
    assert not bucket.take(6, 5.5)
    assert bucket.take(5, 5.5)
    assert bucket.has(20, 100.0)
    assert not bucket.has(21, 100.0)
