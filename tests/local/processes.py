"""Programs that start others: run with a mark, so that a test can tell whether any process is left behind."""

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
needs_proc = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for processes in /proc")


@contextmanager
def marked(*words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run `python -m ...` with a mark in its PATH, which every process that it starts inherits."""
    mark = f"/{uuid.uuid4()}"
    environment = {**os.environ, "PATH": f"{os.environ['PATH']}:{mark}"}
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", *words],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        yield process, mark
        process.kill()


def left(mark: str) -> list[str]:
    """Give the commands of the processes that carry the mark."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (entry / "environ").read_bytes():
                found.append((entry / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found


def nothing_left(mark: str) -> bool:
    """Say whether all processes that carry the mark are gone, or go within a few seconds."""
    end = time.monotonic() + 10
    while left(mark) and time.monotonic() < end:
        time.sleep(0.1)
    return not left(mark)


def read_until(process: subprocess.Popen[str], words: str) -> None:
    """Read what a program says until it says this."""
    assert process.stdout
    said = []
    for line in process.stdout:
        if words in line:
            return
        said.append(line)
    pytest.fail(f"it ended without saying {words!r}: {''.join(said)}")
