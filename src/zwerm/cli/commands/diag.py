"""`zwerm diag`."""

from __future__ import annotations

import json
import time
from datetime import datetime

from zwerm.cli.client import Answer
from zwerm.cli.command import CliCommand, Example, Parsed
from zwerm.cli.output import safe, table
from zwerm.cli.session import Session


def _sys(session: Session, _parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        session.output.line(json.dumps(item, indent=2, ensure_ascii=False))


def _requests(session: Session, parsed: Parsed, answer: Answer) -> None:
    """Print one line a request: what, whether it is in hand, since when, for how long."""
    verbose = parsed.flag("verbose")
    rows = [("Command", "Active", "StartTime", "RunTime", *(("Arguments",) if verbose else ()))]
    for requests in answer.items():
        for request in requests:
            began = datetime.fromisoformat(request["StartTime"]).timestamp()
            ended = time.time() if request["Active"] else datetime.fromisoformat(request["EndTime"]).timestamp()
            words = [*request["Args"], *(f"--{name}={value}" for name, value in request["Options"].items())]
            rows.append(
                (
                    request["Command"],
                    str(request["Active"]).lower(),
                    request["StartTime"],
                    f"{max(ended - began, 0):.3f}s",
                    *((safe(" ".join(words)),) if verbose else ()),
                )
            )
    for line in table(rows):
        session.output.line(line)


COMMANDS = (
    CliCommand(
        "diag sys",
        rpc="diag/sys",
        text=_sys,
        examples=(Example("diag sys", "Show the system the node runs on, for a report."),),
    ),
    CliCommand(
        "diag cmds",
        rpc="diag/cmds",
        text=_requests,
        details="A request that has ended is listed for an hour, or as `diag cmds set-time` says.",
        examples=(
            Example("diag cmds", "See what the running node is doing for whom."),
            Example("diag cmds -v", "With the arguments of each request."),
        ),
    ),
    CliCommand(
        "diag cmds clear",
        rpc="diag/cmds/clear",
        examples=(Example("diag cmds clear", "Forget the requests that have ended."),),
    ),
    CliCommand(
        "diag cmds set-time",
        rpc="diag/cmds/set-time",
        examples=(Example("diag cmds set-time 10m", "List those that have ended for ten minutes."),),
    ),
)
