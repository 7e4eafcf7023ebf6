"""`zwerm init`."""

from __future__ import annotations

from zwerm.cli.command import Argument, CliCommand, Example, Parsed, flag, option
from zwerm.cli.output import safe
from zwerm.cli.session import Session
from zwerm.daemon.rpc.errors import CommandError


def _run(session: Session, parsed: Parsed) -> None:
    """Make the repository, or fail when there is one, as Kubo does."""
    from zwerm.node.migrations import VERSION_NAME
    from zwerm.node.repository import Repository

    path = session.settings.repository
    profile = parsed.options.get("profile") or (parsed.arguments[0] if parsed.arguments else None)
    if (path / VERSION_NAME).exists():
        raise CommandError(f"{path} is a repository already; nothing was changed")
    with Repository.open(path, profile=profile, purpose="zwerm init") as repository:
        identity = str(repository.identity)
    if session.settings.json:
        session.output.json({"Path": str(path), "PeerID": identity})
        return
    session.output.line(f"initialized repository at {safe(str(path))}")
    session.output.line(f"peer identity: {identity}")


COMMANDS = (
    CliCommand(
        "init",
        summary="Make a repository",
        details="There is no need to: every command makes the repository when there is none.",
        run=_run,
        arguments=(Argument("profile", "default, server, lan, lowpower or test.", required=False),),
        options=(
            option("profile", "p", text="The same as the argument."),
            flag("empty-repo", "e", text="Accepted as Kubo does; a new repository is always empty."),
        ),
        examples=(
            Example("init", "Make the repository in ~/.zwerm."),
            Example("init --profile=server", "Make one for a server."),
        ),
    ),
)
