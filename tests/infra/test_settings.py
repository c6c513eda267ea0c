import json
import re
from typing import Any

import pytest

from shared.core.policy import InUse, Mode
from shared.core.target_regions import StorageAccountType
from shared.settings import SETTINGS, load
from tests.adapters.support import IMAGE
from tests.infra import bicep

PARAMETERS = bicep.read(bicep.MAIN).of("parameter")
FILE = bicep.read(bicep.MAIN.with_suffix(".bicepparam")).of("variable")
SET = bicep.read(bicep.MAIN).of("module")["app"].value["params"]["settings"]
_APP = bicep.read(bicep.INFRA / "modules" / "app.bicep").of("variable")
WORKER = _APP["worker"].value
APP = {**_APP["connections"].value, **WORKER}
HOST = json.loads((bicep.INFRA.parent / "host.json").read_text())
IN_VAULT = {"STATUS_WEBHOOKS", "STATUS_WEBHOOK_SECRET"}
CLOUD = "environment().resourceManager"

# What Flex Consumption reads from functionAppConfig, and refuses or ignores as app settings (documented).
REFUSED = (
    "ENABLE_ORYX_BUILD",
    "FUNCTIONS_EXTENSION_VERSION",
    "FUNCTIONS_WORKER_PROCESS_COUNT",
    "FUNCTIONS_WORKER_RUNTIME",
    "FUNCTIONS_WORKER_RUNTIME_VERSION",
    "SCM_DO_BUILD_DURING_DEPLOYMENT",
    "WEBSITE_CONTENTAZUREFILECONNECTIONSTRING",
    "WEBSITE_CONTENTSHARE",
    "WEBSITE_RUN_FROM_PACKAGE",
    "WEBSITE_VNET_ROUTE_ALL",
)


def parameter(name: str) -> bicep.Declaration:
    """Find the parameter that a setting comes from: the one whose description says so."""
    (found,) = (each for each in PARAMETERS.values() if each.description.endswith(f"Setting `{name}`."))
    return found


def text(value: Any) -> str:
    """Give the text that the app gets for a default."""
    return json.dumps(value) if isinstance(value, bool | int | dict) else str(value)


def environment_of(variable: str, default: str) -> dict[str, str]:
    """Find what a line of the parameter file reads, and what it takes where that is not given."""
    found = re.findall(r"readEnvironmentVariable\('(\w+)'(?:, '([^']*)')?\)", FILE[variable].value.text)
    return dict(found) or {default: default}


def test_every_setting_is_set():
    """The app gets every setting of the contract, in the code's order, and its storage by identity."""
    assert list(SET) == list(SETTINGS)
    connection = {f"AzureWebJobsStorage__{part}" for part in ("blobServiceUri", "queueServiceUri", "tableServiceUri")}
    assert connection | {"AzureWebJobsStorage__credential", "AzureWebJobsStorage__clientId"} <= APP.keys()
    assert APP["AzureWebJobsStorage__credential"] == "managedidentity"
    assert not any("AccountKey" in str(value) for value in APP.values())


def test_a_thread_for_each_message():
    """A worker has a thread for each message that a host takes of one queue at a time, and no more than it may have."""
    queues = HOST["extensions"]["queues"]
    assert int(WORKER["PYTHON_THREADPOOL_THREAD_COUNT"]) == queues["batchSize"] + queues["newBatchThreshold"] <= 32


@pytest.mark.parametrize("name", REFUSED)
def test_nothing_that_the_plan_refuses(name):
    """No setting is given that Flex Consumption refuses."""
    assert name not in {*SET, *APP}


@pytest.mark.parametrize("name", [name for name in SETTINGS if name not in IN_VAULT])
def test_a_setting_comes_from_its_parameter(name):
    """Each setting is made of the parameter whose description names it, and of no other."""
    assert bicep.used(SET[name].node) & PARAMETERS.keys() == {parameter(name).name}


@pytest.mark.parametrize("name", [name for name in SETTINGS if name not in IN_VAULT])
def test_defaults_are_the_codes(name):
    """A parameter has the default of its setting, and none where the code has none."""
    default = parameter(name).value
    if name == "ARM_ENDPOINT":
        assert default.text == CLOUD
    else:
        assert (None if default is None else text(default)) == SETTINGS[name].default


@pytest.mark.parametrize("name", [name for name in SETTINGS if name not in IN_VAULT | {"ARM_ENDPOINT"}])
def test_the_environment_has_the_names_of_the_app(name):
    """The parameter file reads each setting by its own name, with the code's default."""
    default = SETTINGS[name].default or ""
    assert environment_of(parameter(name).name, name) == {name: default}


def test_every_parameter_comes_from_the_environment():
    """Every parameter can be given by the environment, with the default of the template; tags and cloud apart."""
    for name, each in PARAMETERS.items():
        if name in ("tags", "armEndpoint", "environmentName", "resourceGroupName"):
            continue
        (default,) = environment_of(name, "").values()
        wanted = "" if each.value in (None, []) else text(each.value)
        assert default == wanted, name


def test_secrets_are_references():
    """The two secrets come from the vault, by reference, when they are there; their values are in no parameter."""
    for name in IN_VAULT:
        assert SETTINGS[name].secret
        secret = name.replace("_", "-")
        reference = "'@Microsoft.KeyVault(SecretUri=${vault.outputs.uri}secrets/" + secret + ")'"
        assert SET[name].text == f"{parameter(name).name} ? {reference} : ''"
        assert (parameter(name).type, parameter(name).value) == ("bool", False)
    assert {name for name, setting in SETTINGS.items() if setting.secret} == IN_VAULT


@pytest.mark.parametrize(
    ("name", "kind", "more"),
    [("MODE", Mode, set()), ("PROTECT_IN_USE", InUse, set()), ("STORAGE_ACCOUNT_TYPE", StorageAccountType, {""})],
)
def test_choices_are_the_codes(name, kind, more):
    """A parameter takes the choices that the code takes."""
    assert set(parameter(name).decorators["allowed"]) == {str(each) for each in kind} | more


@pytest.mark.parametrize("name", [name for name in SETTINGS if name not in IN_VAULT and parameter(name).type == "int"])
def test_limits_are_the_codes(name):
    """A number's limits are those that the code states."""
    decorators = parameter(name).decorators
    assert SETTINGS[name].wanted.endswith(f"from {decorators['minValue']} to {decorators['maxValue']}")


def test_the_app_starts_with_the_defaults():
    """With what has to be given, and the templates' defaults for the rest, the app finds no fault in its settings."""
    given = {name: text(parameter(name).value) for name in SETTINGS if name not in IN_VAULT | {"ARM_ENDPOINT"}}
    storage = {
        f"AzureWebJobsStorage__{part}ServiceUri": f"https://st.{part}.core.windows.net/" for part in ("queue", "table")
    }
    cloud = "https://management.azure.com/"  # what environment().resourceManager is (documented)
    settings = load(
        {**given, **storage, "GALLERIES": str(IMAGE.gallery), "TARGET_REGIONS": "westeurope", "ARM_ENDPOINT": cloud}
    )
    assert settings.arm_endpoint == SETTINGS["ARM_ENDPOINT"].default
    assert settings.warnings == ()


def _rows(title: str) -> dict[str, tuple[str, ...]]:
    section = (bicep.INFRA / "README.md").read_text().split(f"\n## {title}\n")[1].split("\n## ", maxsplit=1)[0]
    rows = (line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| `"))
    return {row[0].strip("`"): tuple(cell.strip() for cell in row[1:]) for row in rows}


def test_parameters_are_in_the_readme():
    """infra/README.md lists every parameter in order: its name in the environment, its default, its description."""
    wanted = {}
    for name, each in PARAMETERS.items():
        read = next(iter(re.findall(r"'(\w+)'", FILE[name].value.text)), "") if name in FILE else ""
        variable = "AZURE_ENV_NAME" if name == "environmentName" else read
        default = "required" if each.value is None else f"`{getattr(each.value, 'text', text(each.value))}`"
        wanted[name] = (f"`{variable}`" if variable else "", default.replace("``", "none"), each.description)
    assert list(_rows("Parameters").items()) == list(wanted.items())
