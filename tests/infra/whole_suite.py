"""Holds the roles in the templates against every call that the app made of a simulated Azure in the whole test suite.

A plugin of pytest, for a run of all tests: ``-p tests.infra.whole_suite``. What the app calls in a test it may call in
Azure; what it calls in none, no role needs to allow. Each worker reads the log of each simulated Azure when it stops;
one that a program under test starts in a process of its own (the demo, the soak, the plan) is not seen.
"""

from typing import Any

import pytest

from local.azure import SimulatedAzure
from tests.infra.arm_actions import action_of
from tests.infra.roles import NAMED_IN_WRITES, READ_BY_QUERIES, actions

_APP = "gallery-fanout"
"""How the app's calls begin to say who they are; tests that call the simulated Azure themselves say something else."""

_KEY = "actions"
_found: set[str] = set()
_verdict: list[str] = []


def pytest_configure(config: pytest.Config) -> None:
    """Read the log of each simulated Azure when it stops."""
    patch = pytest.MonkeyPatch()
    stop = SimulatedAzure.stop

    def stop_and_read(azure: SimulatedAzure) -> None:
        _found.update(_actions(azure))
        stop(azure)

    patch.setattr(SimulatedAzure, "stop", stop_and_read)
    config.add_cleanup(patch.undo)


def _actions(azure: SimulatedAzure) -> set[str]:
    ours = [each for each in azure.requests if each.headers.get("user-agent", "").startswith(_APP)]
    return {_action(each.method, each.path) for each in ours}


def _action(method: str, path: str) -> str:
    try:
        return action_of(method, path)
    except LookupError as unknown:
        return str(unknown)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:  # noqa: ARG001  the hook's signature
    """Take what a worker has read."""
    _found.update(getattr(node, "workeroutput", {}).get(_KEY, ()))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand it over, in a worker; hold it against the role, where all comes together."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput[_KEY] = sorted(_found)
        return
    allowed = actions() - READ_BY_QUERIES - NAMED_IN_WRITES
    _verdict.extend(f"called, and allowed by no role: {each}" for each in sorted(_found - allowed))
    _verdict.extend(f"allowed by a role, and called in no test: {each}" for each in sorted(allowed - _found))
    if _verdict and not session.exitstatus:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say what came of it."""
    words = _verdict or [f"the roles in infra/ allow what the app called, and nothing else: {len(_found)} actions"]
    for line in words:
        terminalreporter.write_line(line)
