"""The command, as a program: what it prints where, and its exit codes."""

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from local.azure import SimulatedAzure
from tests.flows.world import HOME, THREE

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "docs" / "plan.schema.json").read_text())
ALONE = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LANG": "C.UTF-8"}


@pytest.fixture(scope="module")
def given() -> Iterator[Mapping[str, str]]:
    """App settings for a gallery with an image that is to be spread, and one that is as it should be."""
    with SimulatedAzure() as azure:
        gallery = azure.add_gallery("prodgallery")
        azure.add_version(azure.add_image(gallery, "ubuntu-2204"), "1.0.0", home=HOME)
        azure.add_version(azure.add_image(gallery, "debian-12"), "1.0.0", home=HOME, regions=list(THREE))
        yield {"ARM_ENDPOINT": azure.endpoint, "GALLERIES": gallery, "TARGET_REGIONS": " ".join(THREE)}


def command(*words: str, settings: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run it, with these app settings and no others."""
    return subprocess.run(  # noqa: S603  this Python
        [sys.executable, "-m", "plan", *words],
        cwd=ROOT,
        env={**ALONE, **(settings or {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_stranger_sees_a_plan():
    """With --simulate it needs nothing: it shows additions, removals, waits and what is kept, each with its reason."""
    done = command("--simulate")
    assert (done.returncode, done.stderr) == (2, "")
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert lines[0] == "version region action replicas reason"
    assert "prodgallery/ubuntu-2204 1.0.3 eastus2 + add 0 -> 1 the policy names it" in lines
    assert "prodgallery/ubuntu-2204 1.0.2 eastus2 wait 1 1.0.3 is still to come here" in lines
    assert "prodgallery/windows-2022 2.0.0 eastus2 - remove 1 -> 0 2.1.0 complete here" in lines
    assert "prodgallery/windows-2022 2.0.1 eastus2 keep 1 scale set web-prod references 2.0.1" in lines
    assert lines[-1].startswith("3 writes: 7 regions added, 3 regions removed, 3 regions with other replicas;")
    assert not [line for line in lines if "its home region" in line and "keep" in line]


@pytest.mark.parametrize(("image", "code"), [("debian-12", 0), ("ubuntu-2204", 2)])
def test_the_exit_code_says_whether_there_are_changes(given, image, code):
    """It is 0 when there is nothing to do, and 2 when there are changes; with --json stdout is JSON and no more."""
    done = command("--json", "--definition", image, settings=given)
    assert (done.returncode, done.stderr) == (code, "")
    told = json.loads(done.stdout)
    Draft202012Validator(SCHEMA).validate(told)
    assert told["changes"] is bool(code)
    assert [each["image"] for each in told["definitions"]] == [image]


def test_faulty_settings():
    """Every fault of the settings is told at once, on stderr; the exit code is 1, which no plan has."""
    done = command("--gallery", "prodgallery", "--set", "KEEP_LATEST=none")
    assert (done.returncode, done.stdout) == (1, "")
    assert [line.split(":")[0] for line in done.stderr.splitlines()] == [
        "3 of the app settings cannot be used",
        "  - TARGET_REGIONS",
        "  - KEEP_LATEST",
        "  - GALLERIES",
    ]


def test_not_logged_in(given):
    """Without a login one line says what to do; the pages that the SDK would say are not shown."""
    azure = {"ARM_ENDPOINT": "https://127.0.0.1:9", "AZURE_TOKEN_CREDENTIALS": "EnvironmentCredential"}
    done = command(settings={**given, **azure})
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "Azure does not know who you are: run `az login`, and try again.\n"


def test_in_a_terminal(given):
    """In a terminal it shows how far it is, on stderr, and stdout has the plan alone."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "plan"],
        cwd=ROOT,
        env={**ALONE, **given, "TERM": "xterm", "COLUMNS": "100"},
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
    ) as running:
        os.close(theirs)
        plan, _ = running.communicate(timeout=60)
    shown = os.read(ours, 100_000).decode()
    os.close(ours)
    assert "2/2" in shown
    assert "2 versions" in shown
    assert plan.startswith("version ")
    assert "\x1b" not in plan


def test_interrupted_while_azure_wants_to_be_left_alone():
    """It says how long it waits when Azure is busy; Ctrl-C ends that at once, with 130 and without a traceback."""
    with SimulatedAzure() as azure:
        settings = {"ARM_ENDPOINT": azure.endpoint, "GALLERIES": azure.add_gallery("g"), "TARGET_REGIONS": HOME}
        azure.throttle(590)
        with subprocess.Popen(
            [sys.executable, "-m", "plan"],
            cwd=ROOT,
            env={**ALONE, **settings},
            stderr=subprocess.PIPE,
            text=True,
        ) as running:
            assert running.stderr
            line = running.stderr.readline()
            running.send_signal(signal.SIGINT)
            try:
                _, rest = running.communicate(timeout=30)
            finally:
                running.kill()
    assert line.startswith("Azure answered 429")
    assert "Trying again in 9 min" in line
    assert (running.returncode, rest) == (130, "")


def test_whoever_reads_may_stop(given):
    """When the other end of a pipe is closed early, that is no error."""
    ours, theirs = os.pipe()
    os.close(ours)
    with subprocess.Popen(
        [sys.executable, "-m", "plan"],
        cwd=ROOT,
        env={**ALONE, **given},
        stdout=theirs,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        os.close(theirs)
        _, said = running.communicate(timeout=60)
    assert (running.returncode, said) == (2, "")
