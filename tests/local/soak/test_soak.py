import signal
import sys

import pytest

from local.soak.__main__ import main
from tests.local.processes import left, marked, needs_proc, nothing_left, read_until

SMALL = ("--seed", "7", "--versions", "12", "--definitions", "4", "--kills", "2", "--seconds", "110")


@needs_proc
@pytest.mark.flow
def test_a_small_soak():
    """A small soak kills, ends with 0, shows its figures and every rule as held, and leaves no process behind."""
    with marked("local.soak", *SMALL) as (process, mark):
        shown, _ = process.communicate(timeout=120)
        assert process.returncode == 0, shown
        assert "Seed 7: 12 versions of 4 definitions, 2 kills." in shown
        assert "12 versions of 4 definitions, for" in shown
        assert "4 lives, 2 of them killed" in shown
        assert {f"│ {number} " for number in range(1, 10)} <= {line[:4] for line in shown.splitlines()}
        assert "BROKEN" not in shown
        assert nothing_left(mark)


@needs_proc
@pytest.mark.flow
def test_it_leaves_nothing_behind():
    """Stopped in the middle of a storm, it leaves no process behind."""
    with marked("local.soak", *SMALL) as (process, mark):
        read_until(process, "trouble")
        assert len(left(mark)) >= 4  # the soak, Azurite, two hosts
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        assert process.returncode == 130
        assert nothing_left(mark)


@pytest.mark.parametrize("words", [("--seconds", "301"), ("--versions", "0"), ("--kills", "many"), ("--speed", "1")])
def test_bad_usage(words, monkeypatch, capsys):
    """What cannot be meant is said to be so, with code 2, and nothing is started."""
    monkeypatch.setattr(sys, "argv", ["soak", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "usage: python -m local.soak" in capsys.readouterr().err
