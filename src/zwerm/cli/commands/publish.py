"""`zwerm publish`: a folder as the newest version of a place in the node's tree."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from zwerm.cli.command import Argument, CliCommand, Example, OptionKind, Parsed, flag, option
from zwerm.cli.output import safe
from zwerm.cli.session import Session
from zwerm.core.errors import StorageError
from zwerm.daemon.rpc.body import DiskBody
from zwerm.daemon.rpc.disk import path_name
from zwerm.daemon.rpc.errors import UsageError


def _run(session: Session, parsed: Parsed) -> None:
    if len(parsed.arguments) != 1:
        raise UsageError("name one folder or file to publish")
    path = Path(parsed.arguments[0]).expanduser()
    if not path.exists():
        raise StorageError(f"{path} does not exist")
    name = path_name(path)
    target = str(parsed.options.get("to") or f"/{name}").rstrip("/")
    if not target.startswith("/"):
        raise UsageError(f"--to is {target!r}, expected a path from /, such as /site")
    body = DiskBody(
        [path], [name], recursive=True, hidden=parsed.flag("hidden"), ignore=parsed.options.get("ignore", ())
    )
    options = {"to-files": target, "message": parsed.options.get("message") or f"Publish {name}", "quieter": True}
    with session.progress("publishing") as bar:
        address = ""
        with closing(session.call("add", (), options | {"progress": bar.shown}, body)) as answer:
            for item in answer.items():
                if "Hash" in item:
                    address = item["Hash"]
                else:
                    bar.update(item["Bytes"])
    key = parsed.options.get("name")
    title = _name(session, str(key), address) if key else ""
    gateway = session.document("config", ["addresses.gateway"])["Value"]
    below = f"ipns/{title}" if title else f"ipfs/{address}"
    link = f"http://{gateway}/{below}" if gateway and not gateway.endswith(":0") else ""
    if session.settings.json:
        session.output.json({"Path": target, "Cid": address, "Link": link} | ({"Name": title} if title else {}))
        return
    session.output.line(f"published {safe(target)}")
    session.output.line(f"address   /ipfs/{address}")
    if title:
        session.output.line(f"name      /ipns/{title}")
    if link:
        session.output.line(f"link      {link}")
    session.output.line(f"versions  {session.settings.program} history {safe(target)}")


def _name(session: Session, key: str, address: str) -> str:
    """Let the key's name point at the new version, making the key the first time; return the name."""
    known = {name for row in session.document("key/list", [])["Keys"] for name in (row["Name"], row["Id"])}
    if key not in known:
        session.document("key/gen", [key])
    return str(session.document("name/publish", [f"/ipfs/{address}"], {"key": key})["Name"])


COMMANDS = (
    CliCommand(
        "publish",
        summary="Publish a folder under a name, as a new version",
        details="The folder appears among the node's files; what was there under that name stays in its history.",
        run=_run,
        arguments=(Argument("folder", "The folder, or a file."),),
        options=(
            option("name", "n", text="Let the name of this key point at it; the key is made the first time."),
            option("to", text="Its path in the node's tree; /NAME of the folder otherwise."),
            option("message", "m", text="Words that go with the version."),
            flag("hidden", "H", text="Names that begin with a dot too."),
            option("ignore", kind=OptionKind.STRINGS, text="Leave out what matches (as in .gitignore)."),
        ),
        examples=(
            Example("publish public --to /site", "Publish a web site; again, after changing it, for a new version."),
            Example("publish public --to /site --name site", "The same, under a name whose address never changes."),
            Example("publish album -m 'Photos of May'", "Publish a folder with a word about it."),
        ),
    ),
)
