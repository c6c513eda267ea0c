"""Azurite, Microsoft's storage emulator: queues and tables in memory, on free ports of this machine.

`python -m local.azurite` runs it in the foreground and prints its connection string.
"""

import argparse
import base64
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Self

_PROGRAM = Path(__file__).parent / "azurite" / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"

# Account and key that every storage emulator has; documented by Microsoft, no secret.
_DEFAULT_ACCOUNT = "devstoreaccount1"
_DEFAULT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

# Runs inside node before Azurite: it ends when the pipe on stdin does, which is when the process that holds it is gone.
_LIFELINE = "data:text/javascript,process.stdin.on('end',()=>process.exit(0)).resume()"

# Once a minute it looks for the contents of messages that are gone, and answers nobody for as long as that takes: seven
# seconds after a few thousand messages. Azure has no such pauses, and Azurite no switch for it.
_NO_PAUSES = (
    "data:text/javascript,import{createRequire}from'node:module';"
    f"createRequire({json.dumps(str(_PROGRAM))})('./queue/utils/constants').DEFAULT_GC_INTERVAL_MS=864e5"
)


class AzuriteFailed(Exception):
    """Azurite is not there, or did not start; the text says what to do, or what it said."""


class Azurite:
    """A running Azurite: started on entering, gone on leaving or when this process dies.

    Args:
        accounts: names and base64 keys; a number makes that many of its own. The default account is always there too.
        queue_port: 0 takes a free one.
        table_port: 0 takes a free one.
        ready_seconds: how long it may take to start.
        pauses: whether it stands still once a minute to free the memory of messages that are gone.

    Raises:
        AzuriteFailed: on entering.

    """

    def __init__(
        self,
        accounts: Mapping[str, str] | int = 0,
        *,
        queue_port: int = 0,
        table_port: int = 0,
        ready_seconds: float = 30,
        pauses: bool = True,
    ) -> None:
        named = accounts if isinstance(accounts, Mapping) else dict(_account(each) for each in range(accounts))
        self._names = list(named)
        self._keys = {_DEFAULT_ACCOUNT: _DEFAULT_KEY, **named}
        self._ports = {"Queue": queue_port, "Table": table_port}
        self._ready_seconds = ready_seconds
        self._pauses = pauses
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        command = _command(self._ports, pauses=self._pauses)
        # Its output goes to a file: a pipe that nobody reads would block it one day.
        with tempfile.TemporaryFile() as output:
            environment = {**os.environ, "AZURITE_ACCOUNTS": ";".join(f"{n}:{k}" for n, k in self._keys.items())}
            self._child = subprocess.Popen(
                command,
                cwd=tempfile.gettempdir(),
                env=environment,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # its own group: Ctrl-C is for us, and we stop it
            )
            try:
                self._ports = self._await_ports(self._child, output)
            except BaseException:
                self.stop()
                raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def account(self, index: int) -> str:
        """Give the connection string of the account at this place."""
        return self.connection_string(self._names[index])

    def connection_string(self, account: str = _DEFAULT_ACCOUNT) -> str:
        """Give the connection string of the account of this name; raises KeyError for an unknown one."""
        queue, table = (f"http://127.0.0.1:{self._ports[each]}/{account}" for each in ("Queue", "Table"))
        return (
            f"DefaultEndpointsProtocol=http;AccountName={account};AccountKey={self._keys[account]};"
            f"QueueEndpoint={queue};TableEndpoint={table};"
        )

    def wait(self) -> None:
        """Wait until Azurite ends by itself."""
        if self._child:
            self._child.wait()

    def stop(self) -> None:
        """Stop Azurite and everything that it started. There is nothing to lose, so it is not asked first."""
        if self._child is None:
            return
        if self._child.poll() is None:
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()
        if self._child.stdin:
            self._child.stdin.close()
        self._child = None

    def pause(self, seconds: float) -> subprocess.Popen[bytes]:
        """Let Azurite stand still for so long: connections open, and nobody answers.

        Returns the program that wakes it again, also when this process is gone by then: what stands still could not
        see that its lifeline ended, and would be left behind.
        """
        if self._child is None:
            raise AzuriteFailed("Azurite does not run")
        words = ['kill -STOP "$1"; sleep "$2"; kill -CONT "$1"', "pause", str(self._child.pid), str(seconds)]
        return subprocess.Popen(["/bin/sh", "-c", *words], start_new_session=True)

    def _await_ports(self, child: subprocess.Popen[bytes], output: IO[bytes]) -> dict[str, int]:
        """Wait until both services say that they are listening, which they say even when silent."""
        deadline = time.monotonic() + self._ready_seconds
        while True:
            ended = child.poll() is not None
            # Not read(): the child shares the file's position, and would go on writing where we stopped reading.
            text = os.pread(output.fileno(), 1 << 20, 0).decode(errors="replace")
            found = dict(
                re.findall(r"Azurite (\w+) service is successfully listening at http://127\.0\.0\.1:(\d+)", text)
            )
            if found.keys() >= {"Queue", "Table"}:
                return {name: int(port) for name, port in found.items()}
            if ended or time.monotonic() > deadline:
                raise AzuriteFailed(f"Azurite did not start: {text.strip() or 'it said nothing'}")
            time.sleep(0.02)


def _account(index: int) -> tuple[str, str]:
    """Make an account name and a key. Nothing is kept secret by it: the service is on loopback and in memory."""
    name = f"account{index:04}"
    return name, base64.b64encode(hashlib.sha512(name.encode()).digest()).decode()


def _command(ports: Mapping[str, int], *, pauses: bool) -> list[str]:
    node = shutil.which("node")
    if node is None:
        raise AzuriteFailed("node is not on the PATH: install Node.js 20 or newer")
    if not _PROGRAM.exists():
        raise AzuriteFailed("Azurite is not installed: run make install")
    # Its blob service cannot be left out; nobody is told its port.
    numbers = ["--blobPort", "0", "--queuePort", str(ports["Queue"]), "--tablePort", str(ports["Table"])]
    # The SDKs ask for API versions that Azurite does not know yet.
    switches = ["--inMemoryPersistence", "--skipApiVersionCheck", "--silent", "--disableTelemetry"]
    before = ["--import", _LIFELINE, *([] if pauses else ["--import", _NO_PAUSES])]
    return [node, *before, str(_PROGRAM), *switches, *numbers]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run Azurite until Ctrl-C or SIGTERM and print its connection string; code 1 when it does not start."""
    parser = argparse.ArgumentParser(prog="python -m local.azurite", description=__doc__)
    parser.add_argument("--queue-port", type=int, default=0, help="0 (the default) takes a free one")
    parser.add_argument("--table-port", type=int, default=0, help="the same")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        with Azurite(queue_port=options.queue_port, table_port=options.table_port) as azurite:
            print(azurite.connection_string(), flush=True)
            azurite.wait()
    except AzuriteFailed as fault:
        sys.stderr.write(f"{fault}\n")
        return 1
    except KeyboardInterrupt:
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
