"""`zwerm doctor PATH`: whether others can get it, in lines and as an exit status."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.harness import Harness
from zwerm.cli.checkup import Verdict
from zwerm.cli.reachability import reach_findings
from zwerm.node.availability import Standing


class Told:
    """A session whose daemon says this."""

    def __init__(self, found: dict[str, Any]) -> None:
        self._found = found

    def document(self, _path: str, _arguments: list[str]) -> dict[str, Any]:
        return self._found


def found(standing: str, **changes: Any) -> dict[str, Any]:
    addresses = [
        {"Address": "/ip4/127.0.0.1/tcp/1/p2p/12D3", "Near": True, "Relayed": False, "Reachable": None},
        {"Address": "/ip4/1.2.3.4/tcp/1/p2p/12D3", "Near": False, "Relayed": False, "Reachable": True},
        {"Address": "/ip4/1.2.3.4/tcp/2/p2p/12D3", "Near": False, "Relayed": False, "Reachable": False},
        {"Address": "/ip4/1.2.3.4/tcp/3/p2p/12D3", "Near": False, "Relayed": False, "Reachable": None},
        {
            "Address": "/ip4/5.6.7.8/tcp/1/p2p/12Dr/p2p-circuit/p2p/12D3",
            "Near": False,
            "Relayed": True,
            "Reachable": None,
        },
    ]
    usual = {"Cid": "bafy", "Here": True, "Told": True, "Pending": False, "Peers": 2, "Servers": 40}
    return {**usual, "Addresses": addresses, "Standing": standing, **changes}


@pytest.mark.parametrize("standing", [each.value for each in Standing])
def test_every_standing_has_words_and_what_is_bad_says_what_to_do(standing: str) -> None:
    *_, last = reach_findings(Told(found(standing)), "bafy")  # type: ignore[arg-type]
    kind = Standing(standing)
    assert last.verdict is (Verdict.GOOD if kind.is_good else Verdict.ODD if kind.is_open else Verdict.BAD)
    assert last.found
    assert bool(last.advice) or kind.is_good or kind is Standing.PENDING


def test_each_address_has_a_line_of_its_own() -> None:
    lines = [each for each in reach_findings(Told(found("reachable")), "bafy") if each.check == "address"]  # type: ignore[arg-type]
    assert [(each.verdict.value, each.found) for each in lines] == [
        ("note", "/ip4/127.0.0.1/tcp/1: this network only"),
        ("ok", "/ip4/1.2.3.4/tcp/1: others reach it"),
        ("bad", "/ip4/1.2.3.4/tcp/2: others tried it in vain"),
        ("note", "/ip4/1.2.3.4/tcp/3: nobody has said whether it leads here"),
        ("ok", "/ip4/5.6.7.8/tcp/1/p2p/12Dr/p2p-circuit/p2p/12D3: through a relay"),
    ]


def test_a_node_that_listens_nowhere_says_so() -> None:
    findings = list(reach_findings(Told(found("near", Addresses=[])), "bafy"))  # type: ignore[arg-type]
    assert any(each.found == "this node listens nowhere" for each in findings)


def test_a_file_of_a_node_that_does_not_run_is_out_of_reach(local: Harness) -> None:
    cid = local.add("kept to itself")
    result = local.run("doctor", cid, status=1)
    assert result.lines[0] == f"ok    content:      {cid} is here"
    assert "zwerm up" in result.lines[-1]
    (first, *_) = local.run("--json", "doctor", cid, status=1).documents
    assert first == {"Check": "content", "Verdict": "ok", "Found": f"{cid} is here", "Advice": ""}
