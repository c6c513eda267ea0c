"""The deployment package, built as the platform's remote build does: the files that .funcignore lets through, and below
them what requirements.txt names, where the platform's Python looks for it.

The distributions are not installed anew but linked, file by file, from this environment, which `make install` made with
the same versions and hashes (tests/project/test_pins.py): pip takes 16 seconds for them with a warm cache, and needs an
index. With PACKAGE_INSTALL=pip in the environment they are installed as the platform does it.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pathspec import GitIgnoreSpec

ROOT = Path(__file__).parents[2]
SITE = Path(".python_packages/lib/site-packages")


def deployed(root: Path = ROOT) -> list[Path]:
    """Give the files that are deployed, relative to the root: those that .funcignore does not match."""
    ignored = GitIgnoreSpec.from_lines((root / ".funcignore").read_text().splitlines())

    def below(folder: Path) -> Iterator[Path]:
        for path in sorted(folder.iterdir()):
            name = path.relative_to(root)
            if ignored.match_file(f"{name}/" if path.is_dir() else str(name)):
                continue
            if path.is_dir():
                yield from below(path)
            else:
                yield name

    return list(below(root))


def pinned(lock: Path) -> list[str]:
    """Give the names of the distributions that a lock file has for this machine."""
    lines = lock.read_text().replace("\\\n", " ").splitlines()
    wanted = [Requirement(line.split("--hash")[0]) for line in lines if line and not line.strip().startswith("#")]
    return [each.name for each in wanted if not each.marker or each.marker.evaluate()]


def needs(names: Iterable[str]) -> list[str]:
    """Give these distributions, and all that they need."""
    found: dict[str, Distribution] = {}
    left = list(names)
    while left:
        name = canonicalize_name(left.pop())
        if name not in found:
            found[name] = distribution(name)
            wanted = [Requirement(each) for each in found[name].requires or []]
            left += [each.name for each in wanted if not each.marker or each.marker.evaluate({"extra": ""})]
    return sorted(found)


def link(names: Iterable[str], target: Path) -> None:
    """Put installed distributions into a folder, as links."""
    for name in names:
        for file in distribution(name).files or []:
            if ".." not in file.parts:
                place = target.joinpath(*file.parts)
                place.parent.mkdir(parents=True, exist_ok=True)
                place.symlink_to(Path(str(file.locate())).resolve())


def build(target: Path) -> Path:
    """Build the package in a folder that is not there yet."""
    for name in deployed():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, target / name)
    if os.environ.get("PACKAGE_INSTALL") == "pip":
        command = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--require-hashes",
            "--target",
            str(target / SITE),
        ]
        subprocess.run([*command, "-r", str(target / "requirements.txt")], check=True)  # noqa: S603  all words are ours
    else:
        link(pinned(target / "requirements.txt"), target / SITE)
    return target
