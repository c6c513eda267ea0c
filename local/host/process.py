"""The host as a child process, for tests and demos."""

import contextlib
import http.client
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

# Where the package `local` is.
_HOME = Path(__file__).resolve().parents[2]

# What a Python and its temporary files need of the environment.
_KEPT = ("PATH", "HOME", "TMPDIR", "LANG", "LD_LIBRARY_PATH")


class HostFailed(Exception):
    """The host ended, or was not ready in time; the text is what it had said until then."""


class HostProcess:
    """`python -m local.host` in a process of its own: started on entering, gone on leaving, whatever happens.

    Args:
        root: the app's directory.
        settings: app settings; with PATH, HOME and what else a Python needs they are the child's whole environment.
        log_path: takes the child's output; a second host may go on in the same file.
        port: 0 takes a free one.
        lease_seconds: how long a message of a killed host stays invisible (Azure: 600).
        ready_seconds: how long the host may take to start.

    Raises:
        HostFailed: on entering or starting, with what the host wrote.

    """

    def __init__(  # noqa: PLR0913 - a process has this many sides, and all but three have defaults
        self,
        root: Path,
        settings: Mapping[str, str],
        log_path: Path,
        *,
        port: int = 0,
        lease_seconds: float = 600,
        ready_seconds: float = 30,
    ) -> None:
        self.key = settings.get("LOCAL_HOST_KEY") or secrets.token_urlsafe(24)
        self.url = ""
        self._root, self._log_path, self._port, self._ready_seconds = root, log_path, port, ready_seconds
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        own = {"PYTHONPATH": str(_HOME), "LOCAL_HOST_LEASE": str(lease_seconds), "LOCAL_HOST_KEY": self.key}
        self._environment = {**kept, **own, **settings}
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _value: BaseException | None, _tb: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start the host and wait until it is ready; also again, after `kill` or `stop`. Raises HostFailed."""
        begin = self._log_path.stat().st_size if self._log_path.exists() else 0
        command = [sys.executable, "-m", "local.host", "--root", str(self._root), "--port", str(self._port)]
        with self._log_path.open("ab") as log:
            # The pipe on stdin stays open for as long as we live, even if we are killed: the child watches it.
            self._child = subprocess.Popen(
                [*command, "--until-stdin-closes"],
                cwd=self._root,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for us, and we stop it
            )
        try:
            self.url = self._await_address(self._child, begin)
        except BaseException:
            self.kill()
            raise

    @property
    def returncode(self) -> int | None:
        """The child's exit code, negative for a signal; None while it runs."""
        return self._child.poll() if self._child else None

    def event_grid_url(self, function: str) -> str:
        """Give the address, key included, that Event Grid would post to for this function."""
        return f"{self.url}/runtime/webhooks/eventgrid?functionName={function}&code={self.key}"

    def fire(self, function: str, input: str = "") -> None:  # noqa: A002 - the admin endpoint's name for it
        """Fire a timer, or hand a body to a queue function. Returns at once; raises HostFailed if the host refuses."""
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=10)
        with contextlib.closing(connection):
            headers = {"x-functions-key": self.key, "content-type": "application/json"}
            connection.request("POST", f"/admin/functions/{function}", json.dumps({"input": input}), headers)
            answer = connection.getresponse()
            if answer.status != http.client.ACCEPTED:
                raise HostFailed(f"{function} was not fired: {answer.status} {answer.read().decode()}")

    def log(self) -> str:
        """Give everything that is in the log so far."""
        return self._log_path.read_text(encoding="utf-8", errors="replace") if self._log_path.exists() else ""

    def kill(self) -> None:
        """End the child at once (SIGKILL), as a crash would."""
        self._end(signal.SIGKILL, seconds=10)

    def stop(self) -> None:
        """End the child gracefully (SIGTERM): running invocations may finish. Kills it if that takes more than 15 s."""
        try:
            self._end(signal.SIGTERM, seconds=15)
        except subprocess.TimeoutExpired:
            self.kill()

    def _end(self, how: signal.Signals, seconds: float) -> None:
        if self._child is None:
            return
        self._child.send_signal(how)
        self._child.wait(seconds)
        if self._child.stdin:
            self._child.stdin.close()

    def _await_address(self, child: subprocess.Popen[bytes], begin: int) -> str:
        deadline = time.monotonic() + self._ready_seconds
        while time.monotonic() < deadline:
            ended = child.poll() is not None  # asked before reading, so that its last words are read too
            text = self._log_path.read_bytes()[begin:].decode(errors="replace")
            ready = re.search(r"^Listening on (http://\S+)$", text, re.MULTILINE)
            if ready:
                return ready[1]
            if ended:
                raise HostFailed(text.strip() or f"the host ended with code {child.returncode}")
            time.sleep(0.02)
        raise HostFailed(f"the host was not ready within {self._ready_seconds:.0f} s:\n{text}")
