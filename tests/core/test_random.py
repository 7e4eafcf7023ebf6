"""Randomness as an argument: seeds repeat, labels keep drawers apart."""

from zwerm.core.random import SYSTEM, seeded


def test_the_same_labels_give_the_same_draws() -> None:
    assert seeded(7, "link").randbytes(32) == seeded(7, "link").randbytes(32)


def test_other_labels_give_other_draws() -> None:
    streams = [seeded(7), seeded("7"), seeded(8), seeded(7, "link"), seeded(7, "link", 1), seeded(71, "ink")]
    assert len({stream.randbytes(16) for stream in streams}) == len(streams)


def test_the_draws_of_a_seed_are_written_down() -> None:
    """A change here would change what every recorded seed reproduces."""
    generator = seeded(1, "link", "loss")
    assert [round(generator.random(), 6) for _ in range(3)] == [0.237269, 0.433742, 0.715416]


def test_the_system_generator_has_the_same_verbs() -> None:
    assert len(SYSTEM.randbytes(16)) == 16
    assert SYSTEM.randbytes(16) != SYSTEM.randbytes(16)
    assert 0 <= SYSTEM.randrange(10) < 10
