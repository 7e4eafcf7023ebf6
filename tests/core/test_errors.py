"""The error tree: one word to catch everything, and whose fault it is under it."""

import inspect

import pytest

from zwerm.core import errors
from zwerm.core.errors import LocalProtocolError, NotFoundError, RemoteProtocolError, WireError, ZwermError

ALL = [value for _, value in inspect.getmembers(errors, inspect.isclass) if value.__module__ == errors.__name__]


@pytest.mark.parametrize("error", ALL)
def test_every_error_is_a_zwerm_error_that_says_what_it_means(error: type[Exception]) -> None:
    assert issubclass(error, ZwermError)
    assert error.__doc__


def test_bytes_of_a_peer_are_the_peers_fault_and_never_ours() -> None:
    assert issubclass(WireError, RemoteProtocolError)
    assert not issubclass(WireError, LocalProtocolError)


def test_pythons_own_words_catch_what_they_should() -> None:
    assert issubclass(WireError, ValueError)
    assert issubclass(NotFoundError, LookupError)
