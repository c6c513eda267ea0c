import signal

import pytest

from tests.local.processes import left, marked, needs_proc, nothing_left, read_until

pytestmark = [pytest.mark.flow, needs_proc]


@pytest.fixture
def demo():
    """The demo as a process, and its mark."""
    with marked("local.demo") as running:
        yield running


def test_it_ends_by_itself(demo):
    """The demo shows regions, writes and chat as plain lines, converges, ends with 0, and leaves no process behind."""
    process, mark = demo
    shown, _ = process.communicate(timeout=90)
    assert process.returncode == 0, shown
    assert "write  PATCH 1.0.3 to 8 regions" in shown
    assert "region 1.0.3 brazilsouth: completed" in shown
    assert "region 1.0.1 eastus2: removed" in shown
    assert "chat   teams ubuntu-2204 1.0.3: in all regions" in shown
    assert "3 writes went to Azure Resource Manager (the least possible is 3)." in shown
    assert nothing_left(mark)


@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_it_leaves_nothing_behind(demo, how, code):
    """However the demo is ended, no process is left behind."""
    process, mark = demo
    read_until(process, "replicating")
    assert len(left(mark)) >= 3  # the demo, Azurite, the host
    process.send_signal(how)
    process.communicate(timeout=30)
    assert process.returncode == code
    assert nothing_left(mark)
