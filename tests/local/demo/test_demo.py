import signal
import urllib.request

import pytest

from tests.local.processes import left, marked, needs_proc, nothing_left, read_until

pytestmark = [pytest.mark.flow, needs_proc]


@pytest.fixture
def demo():
    """The demo as a process, and its mark."""
    with marked("local.demo") as running:
        yield running


@pytest.fixture
def kept():
    """The demo that leaves everything running, as a process, and its mark."""
    with marked("local.demo", "--keep") as running:
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
    assert "chat   slack ubuntu-2204: 2 versions pruned" in shown
    assert "3 writes went to Azure Resource Manager (the least possible is 3)." in shown
    assert "10 messages were posted" in shown
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


def test_it_can_be_kept(kept):
    """Asked to, the demo leaves everything running and says where the page is, which shows what was played; Ctrl-C ends
    all of it.
    """
    process, mark = kept
    read_until(process, "Everything is left running; Ctrl-C ends it.")
    address = next(line.split()[-1] for line in process.stdout if "The page" in line)
    with urllib.request.urlopen(address, timeout=20) as answer:  # noqa: S310 - on this machine
        page = answer.read().decode()
    assert "ubuntu-2204" in page
    assert "1.0.3" in page
    assert "southeastasia" in page
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert nothing_left(mark)
