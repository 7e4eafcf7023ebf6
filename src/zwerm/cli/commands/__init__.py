"""The list of all commands: their modules, imported when used, and what `zwerm --help` says of each.

A module holds `COMMANDS`, one `CliCommand` for each thing its first word does.
"""

from __future__ import annotations

import enum
import importlib
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from zwerm.cli.command import CliCommand


class Group(enum.Enum):
    """Headings of `zwerm --help`."""

    NODE = "The node"
    CONTENT = "Content"
    VERSIONS = "Versions"
    BLOCKS = "Blocks and data"
    KEEPING = "Keeping"
    TEXT = "Addresses as text"
    REACH = "Reaching others"
    SETTINGS = "Settings and tools"


GROUPS: Final = tuple(Group)


class Row(NamedTuple):
    """One first word."""

    group: Group
    summary: str
    module: str = ""  # the word itself when empty


TABLE: Final[dict[str, Row]] = {
    "up": Row(Group.NODE, "Start the node: gateway, API and web page"),
    "id": Row(Group.NODE, "Show who this node is", "identity"),
    "doctor": Row(Group.NODE, "Check the repository, ports, disk and versions, and say what to do"),
    "shutdown": Row(Group.NODE, "Stop the running node"),
    "add": Row(Group.CONTENT, "Keep files and folders, print their addresses"),
    "cat": Row(Group.CONTENT, "Write content to standard output"),
    "get": Row(Group.CONTENT, "Write content to the disk"),
    "ls": Row(Group.CONTENT, "List a folder"),
    "files": Row(Group.CONTENT, "Work in the node's own tree of files"),
    "publish": Row(Group.CONTENT, "Publish a folder under a name, as a new version"),
    "name": Row(Group.CONTENT, "Publish names that stay the same while their content changes"),
    "history": Row(Group.VERSIONS, "Show who changed what, and when"),
    "diff": Row(Group.VERSIONS, "Compare two versions"),
    "restore": Row(Group.VERSIONS, "Bring a version back"),
    "block": Row(Group.BLOCKS, "Work with single blocks"),
    "dag": Row(Group.BLOCKS, "Work with linked data of any codec"),
    "car": Row(Group.BLOCKS, "Export and import archives of blocks"),
    "refs": Row(Group.BLOCKS, "List what a block links to"),
    "resolve": Row(Group.BLOCKS, "Follow a path to its address"),
    "dns": Row(Group.BLOCKS, "Follow a domain to its address"),
    "pin": Row(Group.KEEPING, "Say what is kept"),
    "repo": Row(Group.KEEPING, "Look after the repository: size, collection, verification, repair"),
    "stats": Row(Group.KEEPING, "Show figures of the node"),
    "cid": Row(Group.TEXT, "Convert addresses, say what is in them"),
    "multibase": Row(Group.TEXT, "Write bytes as text and back"),
    "swarm": Row(Group.REACH, "Show and make connections with other nodes"),
    "routing": Row(Group.REACH, "Find who has content, where a node is, what a name says"),
    "provide": Row(Group.REACH, "Show what others are told that this node has"),
    "dht": Row(Group.REACH, "Find the servers of the DHT nearest to an ID"),
    "ping": Row(Group.REACH, "Measure the round trip to a node"),
    "bitswap": Row(Group.REACH, "Show what was exchanged with other nodes"),
    "pubsub": Row(Group.REACH, "Send and read messages by topic"),
    "connect": Row(Group.REACH, "Chat and send files straight to somebody, without a server in between"),
    "stun": Row(Group.REACH, "Ask a STUN server which NAT one is behind"),
    "turn": Row(Group.REACH, "Relay for programs that cannot reach each other (a TURN server)"),
    "load": Row(Group.REACH, "Measure a calls service: users online who ring each other", "load_"),
    "signal": Row(Group.REACH, "Let people find and ring each other (a signaling service)"),
    "key": Row(Group.SETTINGS, "Make, list, move and use keys"),
    "config": Row(Group.SETTINGS, "Show and change settings"),
    "bootstrap": Row(Group.SETTINGS, "Show and change the peers asked first"),
    "log": Row(Group.SETTINGS, "Follow the running node's log, and change how much it holds"),
    "diag": Row(Group.SETTINGS, "Show the system the node runs on, and what it is asked to do"),
    "init": Row(Group.SETTINGS, "Make a repository (`up` does it too)"),
    "commands": Row(Group.SETTINGS, "List every command", "commands_"),
    "completion": Row(Group.SETTINGS, "Print the completion script of bash, zsh or fish"),
    "version": Row(Group.SETTINGS, "Show versions"),
}

ALIASES: Final = {"daemon": "up"}  # other first words that work, and are in no list


def load(word: str) -> tuple[CliCommand, ...]:
    """Import the commands of a first word that is in `TABLE`."""
    module = importlib.import_module(f"zwerm.cli.commands.{TABLE[word].module or word}")
    commands: tuple[CliCommand, ...] = module.COMMANDS
    return commands
