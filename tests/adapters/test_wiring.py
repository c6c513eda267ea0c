import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from azure.core.credentials import AzureKeyCredential

from shared import settings
from shared.adapters.arm_client import NoCredential
from shared.wiring import App
from tests.adapters.support import IMAGE, NOBODY, version_id

ROOT = Path(__file__).parents[2]
HEAVY = (
    "azure.core",
    "azure.data",
    "azure.eventgrid",
    "azure.identity",
    "azure.mgmt",
    "azure.mgmt.compute",
    "azure.mgmt.core",
    "azure.mgmt.resourcegraph",
    "azure.storage",
    "jinja2",
    "requests",
    "standardwebhooks",
    "urllib3",
)
ADAPTERS = ("gallery", "resource_graph", "queues", "rollouts", "records", "webhooks", "topic")
ARM = {"azure.core", "azure.mgmt", "azure.mgmt.core", "requests", "urllib3"}
ENVIRONMENT = {
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",
    "GALLERIES": str(IMAGE.gallery),
    "TARGET_REGIONS": "westeurope eastus2",
    "ARM_ENDPOINT": NOBODY,
    "STATUS_TOPIC_ENDPOINT": f"{NOBODY}/api/events",
    "STATUS_WEBHOOKS": "json=https://example.org/",
    "STATUS_WEBHOOK_SECRET": "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0",
}
IN_AZURE = {
    **ENVIRONMENT,
    "ARM_ENDPOINT": "https://management.azure.com",
    "STATUS_TOPIC_ENDPOINT": "https://topic.westeurope-1.eventgrid.azure.net/api/events",
    "AzureWebJobsStorage": "",
    "AzureWebJobsStorage__accountName": "fanoutstore",
    "AzureWebJobsStorage__clientId": "33333333-3333-3333-3333-333333333333",
}
BUILD = "import os; from shared import settings; from shared.wiring import App; app = App(settings.load(os.environ)); "
HANDLE_AN_EVENT = f"""
import azure.functions as func, function_app
stage = next(each for each in function_app.app.get_functions() if each.get_function_name() == "image_event")
class Out:
    def set(self, text): print("handed over", text)
stage.get_user_function()(func.EventGridEvent(
    id="1", data={{"resourceUri": "{version_id()}"}}, topic="t", subject="{version_id()}", data_version="2",
    event_type="Microsoft.Resources.ResourceWriteSuccess", event_time=None,
), Out())
"""


def loaded(
    code: str, environment: Mapping[str, str] = ENVIRONMENT, *, of: Iterable[str] = HEAVY
) -> tuple[set[str], str]:
    """Run code in a Python of its own; give which of the heavy or of other packages it loaded, and what it printed."""
    report = "\nimport sys; print(*sorted(sys.modules))"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AzureWebJobs")}
    ran = subprocess.run(  # noqa: S603  this Python
        [sys.executable, "-c", code + report],
        cwd=ROOT,
        env=inherited | dict(environment),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    *printed, modules = ran.stdout.splitlines()
    return set(of) & set(modules.split()), "\n".join(printed)


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("import shared.wiring", id="wiring"),
        pytest.param(
            "import importlib, pkgutil, handlers\n"
            "for each in pkgutil.iter_modules(handlers.__path__): importlib.import_module(f'handlers.{each.name}')",
            id="handlers",
        ),
        pytest.param("import function_app", id="app"),
        pytest.param("import function_app; function_app.app.get_functions()", id="app, indexed"),
    ],
)
def test_starting_loads_no_sdk(code: str) -> None:
    """Importing the app, with valid settings, loads no SDK and no HTTP client: a cold start stays short."""
    assert loaded(code)[0] == set()
    assert loaded(code, IN_AZURE)[0] == set()


def test_an_event_loads_no_sdk() -> None:
    """Handling an event, from its arrival to what is handed over, loads none either."""
    heavy, printed = loaded(HANDLE_AN_EVENT)
    assert "handed over" in printed
    assert IMAGE.image in printed
    assert heavy == set()


def test_an_event_loads_no_other_stage() -> None:
    """Nor does it load what other stages work with: an instance that was started for events serves nothing else."""
    stages = [f"handlers.{path.stem}" for path in (ROOT / "handlers").glob("*.py")]
    others = ["shared.core.plan", "shared.core.rollout", "shared.core.status", "shared.formats"]
    mine = {"handlers.image_event", "handlers.journal", "handlers.stage", "handlers.triggers"}
    assert loaded(HANDLE_AN_EVENT, of=[*stages, *others])[0] == mine


@pytest.mark.parametrize(
    ("adapter", "own", "besides"),
    [
        ("gallery", "azure.mgmt.compute", ARM),
        ("resource_graph", "azure.mgmt.resourcegraph", ARM),
        ("queues", "azure.storage", {"azure.core", "requests", "urllib3"}),
        ("rollouts", "azure.data", {"azure.core", "requests", "urllib3"}),
        ("records", "azure.data", {"azure.core", "requests", "urllib3"}),
        ("webhooks", "urllib3", set()),
        ("topic", "azure.eventgrid", {"azure.core", "requests", "urllib3"}),
    ],
)
def test_an_adapter_loads_only_its_own(adapter: str, own: str, besides: set[str]) -> None:
    """Using one adapter loads its own SDK, not those of the others, and no credentials where none are needed."""
    heavy, _ = loaded(BUILD + f"app.{adapter}")
    assert own in heavy
    assert heavy <= {own, *besides}


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_an_adapter_is_built_once(adapter: str) -> None:
    """Whoever asks an App for an adapter gets the same one; another App has its own."""
    app, other = App(settings.load(ENVIRONMENT)), App(settings.load(ENVIRONMENT))
    assert getattr(app, adapter) is getattr(app, adapter)
    assert getattr(app, adapter) is not getattr(other, adapter)


def test_no_credential_for_a_simulated_azure() -> None:
    """An http endpoint of Azure gets no credential, not even where the storage is used with one."""
    app = App(settings.load({**IN_AZURE, "ARM_ENDPOINT": NOBODY, "STATUS_TOPIC_ENDPOINT": f"{NOBODY}/api/events"}))
    assert app.gallery._credential is None
    assert isinstance(app.topic._client._credential, AzureKeyCredential)
    assert isinstance(app.resource_graph._client._config.credential, NoCredential)
    assert app._storage_credential() is not None


def test_one_credential_for_all() -> None:
    """In Azure galleries, Resource Graph, the topic and the storage are used with one and the same credential."""
    app = App(settings.load(IN_AZURE))
    assert app.gallery._credential is app._credential
    assert app.topic._client._credential is app._credential
    assert app.resource_graph._client._config.credential is app._credential
    assert app._storage_credential() is app._credential
    assert app.queues
    assert app.rollouts


def test_no_credential_beside_a_connection_string() -> None:
    """With a connection string the storage gets no credential."""
    assert App(settings.load(ENVIRONMENT))._storage_credential() is None
