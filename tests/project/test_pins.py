import json
import re
from importlib.metadata import distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([\w.]+)$")


def _pins(name: str) -> dict[str, str]:
    lines = [line.strip() for line in (ROOT / name).read_text().splitlines()]
    wanted = [line for line in lines if line and not line.startswith(("#", "-r "))]
    matches = [PIN.match(line) for line in wanted]
    assert all(matches), f"{name} has a line that pins nothing"
    return {_normal(match[1]): match[2] for match in matches if match}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_everything_installed_is_pinned():
    """Whatever is installed for the app and its tests is pinned to exactly the version that is installed."""
    pins = {**_pins("requirements.txt"), **_pins("requirements-dev.txt")}
    installed = {_normal(each.metadata["Name"]): each.version for each in distributions()}
    installed.pop("pip", None)
    assert installed == pins


def test_the_briefed_packages_are_there():
    """The packages that the project's brief names are among the runtime's, the test runner among the development's."""
    runtime = {"azure-functions", "azure-eventgrid", "azure-mgmt-compute", "azure-identity", "azure-storage-queue"}
    assert runtime <= set(_pins("requirements.txt"))
    assert "pytest" in _pins("requirements-dev.txt")


def test_lock_file_names_no_download_address():
    """The lock file of Azurite pins every package with a checksum and names no place to download from."""
    packages = json.loads((ROOT / "local" / "azurite" / "package-lock.json").read_text())["packages"]
    own = packages.pop("")
    assert own["dependencies"] == {"azurite": packages["node_modules/azurite"]["version"]}
    assert not [name for name, package in packages.items() if "resolved" in package]
    assert all(package.get("integrity") for package in packages.values())
