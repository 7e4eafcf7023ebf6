"""The pages that the gateway makes: everything from strangers is escaped."""

from __future__ import annotations

from http import HTTPStatus

from hypothesis import given
from hypothesis import strategies as st

from zwerm.ipfs.gateway import pages

HOSTILE = "\"><script>alert(1)</script>&amp;'"


def test_names_from_strangers_cannot_leave_their_place() -> None:
    row = pages.Row(HOSTILE, HOSTILE, 5, directory=True)
    page = pages.listing_head(HOSTILE, HOSTILE, parent=True) + pages.listing_rows([row]) + pages.listing_tail(1)
    page += pages.node_page(HOSTILE, HOSTILE, HOSTILE, HOSTILE, "dag-cbor")
    page += pages.error_page(HTTPStatus.NOT_FOUND, HOSTILE, phase=HOSTILE, details=[HOSTILE])
    page += pages.waiting_page(HOSTILE, HOSTILE, [HOSTILE], again=2)
    assert "<script" not in page
    assert "javascript:" not in page


def test_a_fetch_that_failed_says_in_which_phase_and_who_was_tried() -> None:
    page = pages.error_page(HTTPStatus.GATEWAY_TIMEOUT, "no", phase="dial", details=["not reached: 12D3: refused"])
    assert "Those who have it cannot be reached now" in page
    assert "not reached: 12D3: refused" in page
    assert "Who was tried" not in pages.error_page(HTTPStatus.GATEWAY_TIMEOUT, "no")


def test_a_link_stays_below_the_directory() -> None:
    assert 'href="./javascript%3Aalert%281%29"' in pages.listing_rows(
        [pages.Row("javascript:alert(1)", "bafy", None, directory=False)]
    )


def test_a_name_that_is_no_utf_8_is_shown_with_marks_and_linked_by_its_bytes() -> None:
    row = pages.listing_rows([pages.Row("\udcffa", "bafy", 1, directory=False)])
    assert 'href="./%FFa"' in row
    assert "\ufffda" in row
    assert row.encode()


def test_an_empty_folder_says_so() -> None:
    assert "This folder is empty." in pages.listing_tail(0)
    assert "1 entry" in pages.listing_tail(1)
    assert "1,000 entries" in pages.listing_tail(1_000)


def test_a_page_of_many_leads_to_the_next_and_to_the_first() -> None:
    first = pages.listing_tail(1_000, following='a"/\udcff')
    assert 'href="?after=a%22%2F%FF"' in first
    assert "First page" not in first
    middle = pages.listing_tail(1_000, after="a", following="b")
    assert 'href="?after=b"' in middle
    assert 'href="?"' in middle
    last = pages.listing_tail(3, after="b")
    assert "3 of its entries" in last
    assert "Next page" not in last


def test_sizes_people_can_read() -> None:
    sizes = [0, 1, 1023, 1024, 1536, 262_144, 1_073_741_824, 3 * 2**40]
    assert [pages.human_size(size) for size in sizes] == [
        "0 B",
        "1 B",
        "1023 B",
        "1.0 KiB",
        "1.5 KiB",
        "256 KiB",
        "1.0 GiB",
        "3.0 TiB",
    ]


@given(st.integers(0, 2**80))
def test_every_size_can_be_said(size: int) -> None:
    assert pages.human_size(size)
