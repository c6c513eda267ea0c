import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
pytestmark = [
    pytest.mark.flow,
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for processes in /proc"),
]


@pytest.fixture
def demo():
    """The demo as a process, with a mark in its PATH that every process it starts inherits."""
    mark = f"/{uuid.uuid4()}"
    environment = {**os.environ, "PATH": f"{os.environ['PATH']}:{mark}"}
    with subprocess.Popen(
        [sys.executable, "-m", "local.demo"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        yield process, mark
        process.kill()


def _left(mark: str) -> list[str]:
    """Commands of the processes that carry the mark."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (entry / "environ").read_bytes():
                found.append((entry / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found


def _nothing_left(mark: str) -> bool:
    end = time.monotonic() + 10
    while _left(mark) and time.monotonic() < end:
        time.sleep(0.1)
    return not _left(mark)


def _read_until(process: subprocess.Popen[str], words: str) -> None:
    assert process.stdout
    for line in process.stdout:
        if words in line:
            return
    pytest.fail(f"the demo ended without saying {words!r}")


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
    assert _nothing_left(mark)


@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_it_leaves_nothing_behind(demo, how, code):
    """However the demo is ended, no process is left behind."""
    process, mark = demo
    _read_until(process, "replicating")
    assert len(_left(mark)) >= 3  # the demo, Azurite, the host
    process.send_signal(how)
    process.communicate(timeout=30)
    assert process.returncode == code
    assert _nothing_left(mark)
