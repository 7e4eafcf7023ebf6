"""What `zwerm --help` shows. Kept apart from the help of commands, whose tables take longer to import."""

from __future__ import annotations

from zwerm.cli.columns import table, terminal_width
from zwerm.cli.commands import GROUPS, TABLE


def root_help(program: str) -> str:
    """The list of all commands, by purpose."""
    lines = [
        f"{program}: the peer-to-peer web. Content gets a permanent address, every version stays.",
        "",
        f"Usage: {program} COMMAND [options] [arguments]",
    ]
    width = max(map(len, TABLE)) + 3
    for group in GROUPS:
        lines += ["", group.value]
        lines += table(
            [(name, row.summary) for name, row in TABLE.items() if row.group is group], terminal_width(), width
        )
    lines += [
        "",
        "Examples",
        f"  $ {program} up                    start the node, open its page",
        f"  $ {program} add photos            keep a folder, print its address",
        f"  $ {program} cat ADDRESS           show content",
        f"  $ {program} COMMAND --help        what a command does, with examples",
        "",
        "The repository is ~/.zwerm, or the folder in $ZWERM_PATH. Exit status: 0 done, 1 failed, 2 not understood.",
    ]
    return "\n".join(lines) + "\n"
