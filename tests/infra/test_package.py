import ast
import json
import shutil
import subprocess
import sys
import urllib.request
from contextlib import ExitStack
from pathlib import Path

import pytest

from local.azure import SimulatedAzure
from local.host.process import HostProcess
from shared.core.messages import Queue
from tests.flows.world import HOME, THREE
from tests.infra.package import ROOT, SITE, build, deployed, link, needs

TOP = {"function_app.py", "host.json", "requirements.txt", "handlers", "shared", "LICENSE"}
HOST = ("aiohttp", "azure-functions-runtime", "azure-storage-queue", "cronsim")
"""What the local host needs; in Azure the platform has a host of its own."""

OTHERS = {"image_event", "sweep", "status", "status_json", "ask_for_a_pass", "replay_dead_letters", "plan"}
"""The functions that take no message from a queue."""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The deployment package."""
    return build(tmp_path_factory.mktemp("deployed") / "wwwroot")


def test_what_is_deployed():
    """The app, what it needs and its licence are deployed, and nothing else that lies beside it."""
    names = deployed()
    assert {name.parts[0] for name in names} == TOP
    assert {name.suffix for name in names if name.parts[0] in ("handlers", "shared")} <= {".py", ".html", ".css", ".js"}


def test_what_the_app_imports_is_in_the_package(package):
    """Whatever deployed code imports, at its top or later, is in the package or in Python itself."""
    code = f"""
import importlib, sys
sys.path[:] = [{str(package)!r}, {str(package / SITE)!r}, *sys.path]
for name in {sorted(_imports(package))!r}:
    importlib.import_module(name)
print(*(each for each in sys.path if {str(ROOT)!r} in each))
"""
    run = subprocess.run(  # noqa: S603  all words are ours
        [sys.executable, "-I", "-S", "-c", code], cwd=package, capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout.strip()) == (0, ""), run.stderr


def _imports(package: Path) -> set[str]:
    """Give the names of all modules that the code imports; it is parsed, so that what is imported late counts."""
    found: set[str] = set()
    for path in [package / "function_app.py", *package.glob("handlers/**/*.py"), *package.glob("shared/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {each.name for each in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module)
    return found


@pytest.mark.flow
def test_the_package_runs_alone(package, tmp_path, storage, monkeypatch):
    """Started from its package, far from the repository and from what a developer has installed, the app serves every
    function, shows its page, and brings a version to its regions.
    """
    host_home = tmp_path / "host"
    shutil.copytree(ROOT / "local" / "host", host_home / "local" / "host")
    shutil.copyfile(ROOT / "local" / "__init__.py", host_home / "local" / "__init__.py")
    link(needs(HOST), host_home / "site")
    paths = [host_home, package / SITE, host_home / "site"]
    with ExitStack() as stack:
        azure = stack.enter_context(SimulatedAzure())
        gallery = azure.add_gallery("prodgallery")
        image = azure.add_image(gallery, "ubuntu-2204")
        settings = {
            "AzureWebJobsStorage": storage,
            "ARM_ENDPOINT": azure.endpoint,
            "GALLERIES": gallery,
            "TARGET_REGIONS": " ".join(THREE),
            "WATCH_INTERVAL": "PT1S..PT2S",
            "PYTHONPATH": ":".join(map(str, paths)),
            "PYTHONNOUSERSITE": "1",
        }
        # Without the environment of the tests: its site-packages would lend what the package lacks.
        monkeypatch.setattr(sys, "executable", sys._base_executable)
        host = stack.enter_context(HostProcess(package, settings, tmp_path / "host.log"))
        azure.deliver_to(host.event_grid_url("image_event"))

        named = {each["name"] for each in json.loads(_ask(host, "/admin/functions"))}
        assert named == {*Queue, *(f"poison_{queue}" for queue in Queue), *OTHERS}
        assert _ask(host, "/api/status").startswith("<!doctype html>")

        azure.publish(image, "1.0.0", home=HOME)
        azure.wait_until(lambda: "announced type=rollout.completed" in host.log(), timeout=60)
        assert len(azure.writes()) == 1
        (shown,) = json.loads(_ask(host, "/api/status.json"))["definitions"]
        assert (shown["image"], shown["newest"]) == ("ubuntu-2204", "1.0.0")
    assert " ERROR " not in host.log()


def _ask(host: HostProcess, path: str) -> str:
    request = urllib.request.Request(host.url + path, headers={"x-functions-key": host.key})  # noqa: S310  this machine
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  the same
        return answer.read().decode()
