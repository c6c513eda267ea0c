from datetime import timedelta

import pytest

from shared.core.errors import Absent, FlagFirst, Locked, Malformed, Refused, Retry


def test_retry_says_how_long():
    """A Retry carries how long the outside asked to be left alone, and why."""
    retry = Retry("throttled", after=timedelta(seconds=120))
    assert (str(retry), retry.after) == ("throttled", timedelta(seconds=120))


@pytest.mark.parametrize("kind", [Refused, Locked, FlagFirst])
def test_refused_says_what_azure_said(kind):
    """A refusal carries Azure's code and message."""
    refused = kind("InvalidParameter", "Duplicate regions")
    assert (str(refused), refused.code, refused.message) == (
        "InvalidParameter: Duplicate regions",
        "InvalidParameter",
        "Duplicate regions",
    )


def test_kinds_do_not_mix():
    """A lock and flag-first are refusals, Malformed is a bad value; no other error passes for one that means other."""
    kinds = (Malformed, Retry, Absent, Refused)
    assert issubclass(FlagFirst, Refused)
    assert issubclass(Locked, Refused)
    assert not issubclass(Locked, FlagFirst)
    assert not issubclass(FlagFirst, Locked)
    assert issubclass(Malformed, ValueError)
    assert not [(one, other) for one in kinds for other in kinds if one is not other and issubclass(one, other)]
