"""The simulated DHT of 100,000 nodes is part of `make test-all`, and the plot of look-ups is in the docs."""

from __future__ import annotations

from pathlib import Path

from tests.libp2p.kad import test_simulation
from tools import verified

ROOT = Path(__file__).parents[2]


def test_a_hundred_thousand_nodes_are_simulated_by_make_test_all() -> None:
    assert {world.size for world in test_simulation.LARGE.values()} == {100_000}
    assert "full" in [mark.name for mark in test_simulation.test_a_hundred_thousand_nodes.pytestmark]
    assert "tests/libp2p/kad/test_simulation.py" in {test for tests in verified.areas().values() for test in tests}
    assert (
        "tools/verified.py" in (ROOT / "Makefile").read_text("utf-8").partition("\ntest-all:")[2].partition("\n\n")[0]
    )


def test_the_plot_of_simulated_look_ups_is_shown() -> None:
    assert "(pictures/dht.svg)" in (ROOT / "docs" / "kademlia.md").read_text("utf-8")
    picture = (ROOT / "docs" / "pictures" / "dht.svg").read_text("utf-8")
    assert all(f"{size} nodes" in picture for size in ("1,000", "10,000", "100,000"))
