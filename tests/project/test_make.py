import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = ("make", "sh", "sed", "env", "rm", "touch")


@pytest.fixture
def bare(tmp_path):
    """A clone's top folder on a machine with nothing but make and a shell."""
    (tmp_path / "bin").mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found
        (tmp_path / "bin" / tool).symlink_to(found)
    for name in ("Makefile", "requirements.txt", "requirements-dev.txt"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "local" / "azurite").mkdir(parents=True)
    shutil.copy(ROOT / "local" / "azurite" / "package-lock.json", tmp_path / "local" / "azurite")
    return tmp_path


def _make(folder: Path, *words: str) -> tuple[int, list[str]]:
    done = subprocess.run(  # noqa: S603 - our own Makefile
        [folder / "bin" / "make", "-s", *words],
        cwd=folder,
        env={"PATH": str(folder / "bin"), "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout.splitlines()


def test_missing_python(bare):
    """Without Python 3.13, one line says what to install."""
    code, lines = _make(bare, "demo")
    assert code
    assert len(lines) == 1
    assert "Python 3.13 is needed" in lines[0]


def test_missing_node(bare):
    """Without Node.js, one line says what to install."""
    (bare / ".venv").mkdir()
    (bare / ".venv" / ".installed").touch()
    code, lines = _make(bare, "install")
    assert code
    assert len(lines) == 1
    assert "Node.js 20 or newer is needed" in lines[0]


def test_start_without_settings(bare):
    """Without local.settings.json, one line says where to take one from."""
    (bare / ".venv").mkdir()
    (bare / ".venv" / ".installed").touch()
    code, lines = _make(bare, "start")
    assert code
    assert lines == ["There is no local.settings.json: copy local.settings.sample.json and change it."]
