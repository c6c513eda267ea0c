import json
import shutil
import subprocess
import sys
import time

import pytest
from azure.core.exceptions import AzureError
from azure.data.tables import TableServiceClient
from azure.storage.queue import QueueServiceClient

import local.azurite
from local.azurite import Azurite
from tests.local.host.support import exists, put, until


@pytest.fixture
def storage_of_its_own():
    """An Azurite that this test may stop, and its connection string."""
    with Azurite() as azurite:
        yield azurite, azurite.connection_string()


def test_accounts_are_apart():
    """Each account has its own queues, and the default account is there too."""
    with Azurite(accounts=2) as azurite:
        put(azurite.account(0), "mine", "hello")
        assert exists(azurite.account(0), "mine")
        assert not exists(azurite.account(1), "mine")
        assert not exists(azurite.connection_string(), "mine")


def test_tables(storage):
    """The same connection string opens tables."""
    with TableServiceClient.from_connection_string(storage) as tables:
        tables.create_table("rollouts")
        assert [each.name for each in tables.list_tables()] == ["rollouts"]


def test_it_is_gone_afterwards():
    """On leaving, nothing answers any more."""
    with Azurite({"own": "a2V5"}) as azurite:
        connection = azurite.connection_string("own")
        assert _answers(connection)
    assert not _answers(connection)


def test_it_ends_with_whoever_started_it():
    """It is gone as soon as the process that started it is, even if that was killed."""
    source = (
        "from local.azurite import Azurite\nwith Azurite() as a:\n  print(a.connection_string(), flush=True)\n  input()"
    )
    command = [sys.executable, "-c", source]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as starter:  # noqa: S603 - our own program
        connection = starter.stdout.readline().strip()
        assert _answers(connection)
        starter.kill()
        until(lambda: not _answers(connection))


def test_it_stands_still_for_a_while(storage_of_its_own):
    """While it is paused nobody answers, and then everything goes on, with what was there."""
    azurite, connection = storage_of_its_own
    put(connection, "mine", "hello")
    begin = time.monotonic()
    waking = azurite.pause(1.5)
    assert exists(connection, "mine")
    assert time.monotonic() - begin > 1
    assert waking.wait() == 0


def test_it_ends_while_it_stands_still():
    """When whoever started it is killed while it stands still, it ends all the same."""
    source = (
        "from local.azurite import Azurite\n"
        "with Azurite() as a:\n  print(a.connection_string(), flush=True)\n  a.pause(2)\n  input()"
    )
    command = [sys.executable, "-c", source]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as starter:  # noqa: S603 - our own program
        connection = starter.stdout.readline().strip()
        time.sleep(0.5)
        starter.kill()
        until(lambda: not _answers(connection))


def test_it_is_not_installed(tmp_path):
    """Without its packages one line says what to do."""
    alone = shutil.copy(local.azurite.__file__, tmp_path)
    ended = subprocess.run([sys.executable, alone], capture_output=True, text=True, check=False)  # noqa: S603 - our own program
    assert (ended.returncode, ended.stderr) == (1, "Azurite is not installed: run make install\n")


def _answers(connection):
    """Tell whether the queue service answers."""
    with QueueServiceClient.from_connection_string(connection, retry_total=0) as service:
        try:
            service.get_service_properties()
        except AzureError:
            return False
        return True


@pytest.mark.parametrize(("pauses", "minutes"), [(True, 1), (False, 24 * 60)])
def test_its_pauses_can_be_left_out(pauses, minutes):
    """What it runs on has its clean-up once a minute, or, where pauses spoil what is measured, once a day."""
    switches = [] if pauses else ["--import", local.azurite._NO_PAUSES]
    constants = local.azurite._PROGRAM.parent / "queue" / "utils" / "constants.js"
    program = f"console.log(require({json.dumps(str(constants))}).DEFAULT_GC_INTERVAL_MS)"
    said = subprocess.run(["node", *switches, "-e", program], capture_output=True, check=True, text=True)  # noqa: S603, S607 - the same
    assert int(said.stdout) == minutes * 60_000
    with Azurite(1, pauses=pauses) as azurite:
        put(azurite.account(0), "mine", "hello")
        assert exists(azurite.account(0), "mine")
