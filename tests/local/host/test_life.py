import json
import os
import re
import signal
import subprocess
import sys

import pytest

from local.host.config import QueueOptions, apply_settings, read_host_json
from local.host.errors import BadApp
from local.host.process import HostFailed
from tests.local.host.support import count, put, says, until

_SLOW = """
@app.queue_trigger(arg_name="message", queue_name="work", connection=STORAGE)
def do(message: func.QueueMessage) -> None:
    logging.info("begin")
    time.sleep(1)
    logging.warning("two\\nlines")
    logging.info("end")
"""


def test_an_app_that_refuses(serve):
    """An app that cannot be indexed ends the host with code 1, and its own message, first and without a stack trace."""
    host = serve('raise ValueError("TARGET_REGIONS is missing")')
    with pytest.raises(HostFailed) as raised:
        host.start()
    assert str(raised.value) == "ValueError: TARGET_REGIONS is missing"
    assert host.returncode == 1


@pytest.mark.parametrize(
    ("queue", "settings", "message"),
    [
        ("%NOWHERE%", {}, "'%NOWHERE%' does not resolve to a value"),
        ("work", {"AzureWebJobsStorage": ""}, "no app setting AzureWebJobsStorage with a connection string"),
        ("work", {"AzureWebJobsStorage": "nonsense"}, "app setting AzureWebJobsStorage: "),
    ],
)
def test_settings_that_are_missing(serve, queue, settings, message):
    """A binding that names what is not there ends the host with one line that says so."""
    host = serve(_SLOW.replace('"work"', f'"{queue}"'), settings=settings)
    with pytest.raises(HostFailed) as raised:
        host.start()
    assert message in str(raised.value).splitlines()[-1]
    assert "Traceback" not in str(raised.value)
    assert host.returncode == 1


def test_a_graceful_stop(serve, storage):
    """SIGTERM lets a running invocation finish and its message be deleted; log records are single lines with a time."""
    put(storage, "work", "hello")
    with serve(_SLOW) as host:
        says(host, "begin")
        host.stop()
        assert host.returncode == 0
    assert count(storage, "work") == 0
    assert re.search(r"^\d\d:\d\d:\d\d\.\d{3} INFO root end$", host.log(), re.MULTILINE)
    assert re.search(
        r"Executed 'Functions\.do' \(Succeeded, Id=[0-9a-f-]{36}, Duration=1\d{3}ms\)$", host.log(), re.MULTILINE
    )
    assert r"WARNING root two\nlines" in host.log()


def test_whoever_started_it_is_gone(serve, storage):
    """A host whose starter is gone ends at once, and does not wait for what runs: nobody is left to see it."""
    put(storage, "work", "hello")
    with serve(_SLOW.replace("sleep(1)", "sleep(60)")) as host:
        says(host, "begin")
        host._child.stdin.close()
        until(lambda: host.returncode is not None, seconds=5)
        assert host.returncode == 0


def test_settings_from_a_file(tmp_path, serve):
    """Settings come from a commented local.settings.json; what the environment has wins."""
    line = 'import os; logging.info("one %s two %s", os.environ["ONE"], os.environ["TWO"])'
    host = serve(line + _SLOW, settings={"TWO": "mine"})
    lines = ['{"IsEncrypted": false, "Values": {', '  // "ONE": "off",', '  "ONE": "file", "TWO": "file"', "}}"]
    (tmp_path / "app" / "local.settings.json").write_text("\n".join(lines))
    with host:
        says(host, "one file two mine")


def test_threads_of_the_worker(serve, storage):
    """Sync functions run in the worker's pool, as wide as PYTHON_THREADPOOL_THREAD_COUNT says."""
    for _ in range(3):
        put(storage, "work", "hello")
    with serve(_SLOW.replace("(1)", "(0.3)"), settings={"PYTHON_THREADPOOL_THREAD_COUNT": "1"}) as host:
        until(lambda: host.log().count(" end") == 3)
    words = re.findall(r"root (begin|end)$", host.log(), re.MULTILINE)
    assert words == ["begin", "end"] * 3


def test_the_command_line(tmp_path, storage):
    """From a terminal it prints a key of its own and its address, and Ctrl-C ends it with code 0."""
    root = tmp_path / "app"
    root.mkdir()
    (root / "host.json").write_text('{"version": "2.0"}')
    route = '@app.route("x")\ndef x(req: func.HttpRequest) -> str:\n    return ""\n'
    (root / "function_app.py").write_text("import azure.functions as func\napp = func.FunctionApp()\n" + route)
    environment = {"PATH": os.environ["PATH"], "AzureWebJobsStorage": storage}
    command = [sys.executable, "-m", "local.host", "--root", str(root), "--port", "0"]
    with subprocess.Popen(  # noqa: S603 - our own program
        command, env=environment, stdout=subprocess.PIPE, text=True
    ) as child:
        lines = [next(child.stdout) for _ in range(3)]
        child.send_signal(signal.SIGINT)
        assert child.wait(20) == 0
    assert re.fullmatch(r"x: any http://127\.0\.0\.1:\d+/api/x\n", lines[0])
    assert lines[1].startswith("Key of this run")
    assert lines[2].startswith("Listening on http://127.0.0.1:")


def test_host_json(tmp_path):
    """Queue options have the real host's defaults; spans are hh:mm:ss, numbers are milliseconds."""
    path = tmp_path / "host.json"
    path.write_text('{"version": "2.0"}')
    assert read_host_json(tmp_path).queues == QueueOptions()
    options = {"batchSize": 4, "maxPollingInterval": 500, "visibilityTimeout": "00:01:30"}
    path.write_text(json.dumps({"extensions": {"queues": options}}))
    wanted = QueueOptions(batch_size=4, new_batch_threshold=2, max_polling_interval=0.5, visibility_timeout=90)
    assert read_host_json(tmp_path).queues == wanted


@pytest.mark.parametrize("text", ["[]", "{", '{"extensions": {"queues": {"visibilityTimeout": "soon"}}}'])
def test_a_host_json_that_is_none(tmp_path, text):
    """A host.json that cannot be used is refused, and so is none at all."""
    with pytest.raises(BadApp, match=r"host\.json"):
        read_host_json(tmp_path)
    (tmp_path / "host.json").write_text(text)
    with pytest.raises(BadApp, match=r"host\.json"):
        read_host_json(tmp_path)


def test_settings_that_cannot_be_read(tmp_path):
    """A settings file that is named but missing is an error, not an empty one."""
    with pytest.raises(BadApp, match="cannot read"):
        apply_settings(tmp_path / "local.settings.json", {})
