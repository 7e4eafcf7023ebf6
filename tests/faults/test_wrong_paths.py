"""Paths that lead nowhere or outside, and addresses that say something wrong of a block, with a daemon."""

from __future__ import annotations

import pytest

from tests.cli.harness import Harness


def test_paths_that_never_were_are_not_compared(served: Harness) -> None:
    served.run("files", "mkdir", "/there")
    assert "there is no /there~1; an older version of a path is PATH@VERSION" in served.fails(
        "diff", "/there~1", "/there"
    )
    assert served.fails("diff", "/never@~1", "/never")
    assert served.run("diff", "/there@~0", "/there").out == ""


@pytest.mark.parametrize("path", ["/../x", "/a/../../x", "/a//x", "//x", "/./x"])
def test_an_upload_to_a_path_that_leads_elsewhere_is_refused(served: Harness, path: str) -> None:
    assert served.daemon is not None
    answer = served.daemon.app("PUT", "files/upload", b"x", path=path)
    assert (answer.status, answer.json["error"]["code"]) == (400, "bad-path")


def test_a_block_that_is_not_of_its_codec_is_named(served: Harness) -> None:
    block = served.add("hello")
    text = "bafybeibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq"  # the same bytes, said to be dag-pb
    assert block.endswith(text[7:])
    assert served.fails("ls", text) == f"{text}: dag-pb field longer than the 3 bytes that are left"
