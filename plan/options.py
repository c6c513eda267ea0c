"""What is said on the command line, and the app settings that come of it."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from local.host.config import apply_settings
from shared.settings import SETTINGS, STORAGE

_EPILOG = """\
exit code: 0 nothing to do, 1 an error, 2 there are changes

App settings are read from the environment, as in Azure. Without AzureWebJobsStorage (or its kin) the app's table is
not read: the plan is then made from what Azure says alone.
"""


class BadOptions(Exception):
    """The command line asks for what there is not."""


def parser() -> argparse.ArgumentParser:
    """Give the command line."""
    made = argparse.ArgumentParser(
        prog="python -m plan",
        description="Print what a pass would do now, with a reason for each region. Nothing is written.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    where = made.add_mutually_exclusive_group()
    where.add_argument("--gallery", metavar="ID", help="resource id of the gallery, instead of GALLERIES")
    where.add_argument("--simulate", action="store_true", help="plan for a small gallery in a simulated Azure")
    made.add_argument(
        "--definition",
        metavar="NAME",
        action="append",
        default=[],
        help="only image definitions of this name, with * and ?; may be given again",
    )
    made.add_argument("--settings", metavar="FILE", type=Path, help="a local.settings.json; the environment wins")
    made.add_argument(
        "--set", metavar="NAME=VALUE", action="append", default=[], help="an app setting, to see what it would change"
    )
    made.add_argument("--json", action="store_true", help="print JSON (docs/plan.schema.json)")
    made.add_argument("--all", action="store_true", help="show regions too that are as they should be")
    return made


def environment(options: argparse.Namespace, given: Mapping[str, str]) -> dict[str, str]:
    """Give the app settings that hold.

    :param given: what they begin with.
    :raises BadOptions: for an app setting that does not exist.
    """
    settings = dict(given)
    if options.settings:
        apply_settings(options.settings, settings)
    if options.gallery:
        settings["GALLERIES"] = options.gallery
    return settings | _assigned(options.set)


def _assigned(assignments: Sequence[str]) -> dict[str, str]:
    pairs = [each.partition("=") for each in assignments]
    unknown = [name for name, equals, _ in pairs if not equals or not _is_setting(name)]
    if unknown:
        raise BadOptions(f"--set wants NAME=VALUE with the name of an app setting, not {', '.join(map(repr, unknown))}")
    return {name: value for name, _, value in pairs}


def _is_setting(name: str) -> bool:
    return name in SETTINGS or name == STORAGE or name.startswith(f"{STORAGE}__")
