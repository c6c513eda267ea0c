import json
from importlib.metadata import distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]


def _pins(name: str) -> dict[str, str]:
    """Give the versions that a lock file pins for this machine; each has hashes."""
    lines = (ROOT / name).read_text().replace("\\\n", " ").splitlines()
    pinned = [line.split("--hash=sha256:") for line in lines if line and not line.strip().startswith("#")]
    assert all(len(hashes) > 0 for _, *hashes in pinned)
    wanted = [Requirement(words) for words, *_ in pinned]
    return {
        canonicalize_name(each.name): str(each.specifier).removeprefix("==")
        for each in wanted
        if not each.marker or each.marker.evaluate()
    }


def _asked(name: str) -> dict[str, str]:
    """Give what a file asks for by hand; every line says a version exactly."""
    lines = [line for line in (ROOT / name).read_text().splitlines() if line and not line.startswith(("#", "-r "))]
    pairs = (line.split("==") for line in lines)
    return {canonicalize_name(name): version for name, version in pairs}


def test_everything_installed_is_pinned():
    """Whatever is installed for the app and its tests is pinned, by version and hash, as it is installed."""
    installed = {canonicalize_name(each.metadata["Name"]): each.version for each in distributions()}
    pins = _pins("requirements-dev.txt")
    assert installed | {"pip": pins["pip"]} == pins  # pip came with the environment, perhaps older


def test_the_app_is_tested_with_what_it_is_deployed_with():
    """Whatever is pinned for Azure is pinned alike for the tests."""
    assert _pins("requirements.txt").items() <= _pins("requirements-dev.txt").items()


@pytest.mark.parametrize("kind", ["requirements", "requirements-dev"])
def test_the_lock_files_are_up_to_date(kind):
    """What is asked for by hand is what is pinned: make lock was run."""
    assert _asked(f"{kind}.in").items() <= _pins(f"{kind}.txt").items()


def test_the_briefed_packages_are_there():
    """The packages that the project's brief names are among the runtime's, the test runner among the development's."""
    runtime = {"azure-functions", "azure-eventgrid", "azure-mgmt-compute", "azure-identity", "azure-storage-queue"}
    assert runtime <= _asked("requirements.in").keys()
    assert "pytest" in _asked("requirements-dev.in")


@pytest.mark.parametrize("folder", ["local/azurite", "tests/browser"])
def test_lock_files_of_npm_name_no_download_address(folder):
    """The lock files of npm pin every package with a checksum and name no place to download from."""
    packages = json.loads((ROOT / folder / "package-lock.json").read_text())["packages"]
    own = packages.pop("")
    assert own["dependencies"] == {name: packages[f"node_modules/{name}"]["version"] for name in own["dependencies"]}
    assert not [name for name, package in packages.items() if "resolved" in package]
    assert all(package.get("integrity") for package in packages.values())
