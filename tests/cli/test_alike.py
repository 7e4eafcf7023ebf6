"""What is wrong is said in the same words, with the same status, with and without a daemon."""

from __future__ import annotations

import os
import shlex
import socket
from collections.abc import Iterator

import pytest

from tests.cli.harness import Harness

FILE = "bafkreicysg23kiwv34eg2d7qweipxwosdo2py4ldv42nbauguluen5v6am"
FOLDER = "bafybeigbu6gwvoijzqgbugdit2vjvklnmudnamj7uc5nnzstilw2dfwrwy"
ABSENT = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy"
UNWANTED = "bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq"  # nor has anybody tried to pin it

WRONG = f"""
    cat {FOLDER}
    cat {ABSENT}
    cat readme.txt
    cat /nope
    cat {FOLDER}/nope
    cat --offset -1 {FILE}
    cat --offset x {FILE}
    cat
    get -o nowhere/x/y {ABSENT}
    get {FOLDER}/nope
    ls {ABSENT}
    ls --timeout x {FILE}
    ls --cid-base x {FILE}
    add nope
    add folder
    add hello nope
    add socket
    add -r odd
    add -r --dereference-symlinks broken
    add /dev/full
    add --hash nope hello
    add --chunker x hello
    add --to x hello
    add --ignore-rules-path nope -r folder
    publish socket
    block get {ABSENT}
    block rm {FILE}
    block put folder
    block put --mhlen 999 hello
    dag put hello
    dag import hello
    dag import nope
    dag export {ABSENT}
    dag get {FILE}/x
    files write /nope/x hello
    files cp /ipfs/{ABSENT} /y
    files rm /d
    files chmod 99 /d
    pin add {ABSENT}
    pin rm {UNWANTED}
    pin ls --type x
    pin remote ls
    swarm peers
    refs {ABSENT}
    resolve x
    key rm nope
    key import k hello
    config storage.max x
    config replace hello
    history /nope
    diff /d@~99
    restore /d@~99
    cid format x
    multibase decode hello
    repo verify --heal
"""
LINES = [line.strip() for line in WRONG.strip().splitlines()]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Harness, Harness]]:
    """Two repositories and folders of the same content; a daemon has one of them."""
    pair = [Harness(tmp_path_factory.mktemp(name)) for name in ("alone", "served")]
    pair[1].start(online=False)  # with a network it would look for what is absent
    doors = [prepare(zwerm) for zwerm in pair]
    yield pair[0], pair[1]
    for door in doors:
        door.close()
    pair[1].stop()


def prepare(zwerm: Harness) -> socket.socket:
    zwerm.file("folder/f", "x")
    (zwerm.folder / "odd").mkdir()
    os.mkfifo(zwerm.folder / "odd" / "pipe")
    (zwerm.folder / "broken").mkdir()
    (zwerm.folder / "broken" / "link").symlink_to("nowhere")
    door = socket.socket(socket.AF_UNIX)
    descriptor = os.open(zwerm.folder, os.O_RDONLY)
    door.bind(f"/proc/self/fd/{descriptor}/socket")  # the whole path may be longer than a socket's may be
    os.close(descriptor)
    zwerm.run("add", zwerm.file("hello", "hello\n"))
    zwerm.run("add", "-r", "folder")
    zwerm.run("files", "mkdir", "/d")
    return door


@pytest.mark.parametrize("line", LINES)
def test_a_wrong_use_is_answered_alike(both: tuple[Harness, Harness], line: str) -> None:
    alone, served = (zwerm.run(*shlex.split(line), status=None) for zwerm in both)
    assert (alone.status, alone.raw, alone.err) == (served.status, served.raw, served.err)
    assert alone.status in (1, 2)
    assert alone.err.endswith("\n")
    assert alone.err.count("\n") == 1 or line.startswith(("block rm", "cid format"))  # these go through a list
    assert "a bug in zwerm" not in alone.err
