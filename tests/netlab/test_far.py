"""Far and broken links: a file arrives whole over real TCP, and nothing of it twice."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.netlab.far import MINUTE_IN_FIVE, PLAIN, SIZE, Fetched, blocks_of, connected, fetch, meet
from tests.netlab.link import SATELLITE, Cuts, Impairment, Link, carried_alone

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("far-links")]


def check(fetched: Fetched, size: int) -> None:
    print(fetched.line)
    assert fetched.is_whole
    assert fetched.blocks == fetched.sent == blocks_of(size)
    assert fetched.duplicates == 0


def test_the_impairer_carries_twice_the_rate_with_nothing_of_ours_in_it() -> None:
    assert carried_alone(SATELLITE, 2 * SATELLITE.rate, 1.0) > 1.95 * SATELLITE.rate


def test_a_file_arrives_over_a_satellite(tmp_path: Path) -> None:
    check(fetch(tmp_path, SATELLITE, 262_144), 262_144)


def test_a_file_arrives_over_a_link_that_goes_away_and_comes_back(tmp_path: Path) -> None:
    check(fetch(tmp_path, PLAIN, 600_000, Cuts(period=30.0, length=5.0, first=2.0)), 600_000)


@pytest.mark.full
@pytest.mark.timeout(600)
def test_four_megabytes_fill_the_satellite_link(tmp_path: Path) -> None:
    fetched = fetch(tmp_path, SATELLITE, SIZE)
    check(fetched, SIZE)
    assert fetched.share >= 0.8


@pytest.mark.full
@pytest.mark.timeout(600)
def test_four_megabytes_fill_a_link_that_is_away_for_a_minute_in_every_five(tmp_path: Path) -> None:
    fetched = fetch(tmp_path, PLAIN, SIZE, MINUTE_IN_FIVE)
    check(fetched, SIZE)
    assert fetched.share >= 0.8


@pytest.mark.full
@pytest.mark.timeout(600)
def test_four_megabytes_arrive_over_a_satellite_that_is_away_for_a_minute(tmp_path: Path) -> None:
    """The share is of what the link could carry from the request to the last byte, its minute away left out.

    Counted are the bytes of IP packets that arrived, those that TCP sends again too. In 14 of 19 runs it was 80 % or
    more, in the others 75 to 79: after the pause Linux takes an answer to what came before it for one to its new
    attempt in about every third run, and waits for another second. docs/hostile.md says more.
    """
    fetched = fetch(tmp_path, SATELLITE, SIZE, MINUTE_IN_FIVE)
    check(fetched, SIZE)
    assert fetched.share >= 0.73


def test_what_is_here_is_shown_at_once_while_the_link_is_cut(tmp_path: Path) -> None:
    data = os.urandom(300_000)
    with Link(PLAIN) as link, connected(tmp_path, link) as (_, node):
        cid = node.zwerm("add", "-Q", data=data).decode().strip()
        link.is_cut = True
        assert node.zwerm("cat", cid, patience="5s") == data
        assert cid in node.zwerm("pin", "ls", "--type", "recursive", patience="5s").decode()


def test_a_pin_that_is_wanted_survives_a_restart_and_is_made_when_the_link_returns(tmp_path: Path) -> None:
    data = os.urandom(100_000)
    with Link(Impairment(rate=1e8)) as link, connected(tmp_path, link) as (giver, taker):
        cid = giver.zwerm("add", "-Q", data=data).decode().strip()
        link.is_cut = True
        taker.daemon.stop()
        taker.start()
        taker.daemon.wait_ready()
        failed = taker.run("pin", "add", cid)
        assert failed.returncode != 0
        assert b"could not be fetched" in failed.stderr
        taker.daemon.stop()
        taker.start()
        taker.daemon.wait_ready()
        assert cid in taker.zwerm("pin", "wanted").decode()
        link.is_cut = False
        meet(taker, giver)
        while cid in taker.zwerm("pin", "wanted").decode():
            time.sleep(0.05)  # there is nothing to wait for but the list
        giver.daemon.stop()
        assert taker.zwerm("cat", cid) == data
