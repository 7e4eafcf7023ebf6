"""`zwerm cat`."""

from __future__ import annotations

from contextlib import closing

from zwerm.cli import remote, splice
from zwerm.cli.command import CliCommand, Example, Parsed
from zwerm.cli.local_client import LocalClient
from zwerm.cli.progress import Progress
from zwerm.cli.session import Session
from zwerm.cli.watch import watched
from zwerm.daemon.rpc.content import file_ranges
from zwerm.daemon.rpc.registry import Context


def _run(session: Session, parsed: Parsed) -> None:
    """Copy to standard output, with a bar when that is no terminal but standard error is."""
    shown = parsed.options.get("progress")
    if shown is None and session.output.is_terminal:
        shown = False
    client = session.client
    with session.progress("reading", wanted=shown) as bar:
        if isinstance(client, LocalClient) and not session.settings.shared:
            texts, _ = remote.bind(parsed.command.all_arguments(), parsed.arguments, session)
            _copy(session, client, texts, parsed, bar)
            return
        with watched(session, bar), closing(remote.call(session, parsed)) as answer:
            bar.update(0, answer.length)
            for chunk in answer.chunks():
                session.output.data(chunk)
                bar.advance(len(chunk))


def _copy(session: Session, client: LocalClient, paths: list[str], parsed: Parsed, bar: Progress) -> None:
    node = client.node()
    context = Context(node, in_process=True)

    async def copy() -> None:
        ranges = await file_ranges(context, paths, parsed.options.get("offset", 0), parsed.options.get("length"))
        size = sum(end - start for _, start, end in ranges)
        bar.update(0, size)
        session.output.expect(size)
        for file, start, end in ranges:
            await splice.copy(node, file, start, end, session.output.descriptor, bar.advance)

    client.run(copy())


COMMANDS = (
    CliCommand(
        "cat",
        rpc="cat",
        run=_run,
        examples=(
            Example("cat bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy", "Show a file by its address."),
            Example("cat /notes/today.txt@~1", "Show the version before the last of one of the node's files."),
            Example("cat --offset 1000000 --length 500 ADDRESS > part", "Write a part of a file."),
        ),
    ),
)
