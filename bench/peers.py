"""Side by side with others: `az sig image-version update`, and Cloud Custodian, each in a venv of its own.

`--peers` installs what `peers.txt` pins into `bench/.peers/`. Without them the row says that they are not there.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from bench import reads
from bench.results import Line
from bench.rig import HOME, ROOT, Desk, until
from local.azure import Behaviour, Pace, Region, Request, SimulatedAzure
from local.azure.regions import short

_FOLDER: Final = ROOT / "bench" / ".peers"
_PINS: Final = ROOT / "bench" / "peers.txt"
_KEYS: Final = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/keys"
_SETS: Final = f"{_KEYS}/providers/Microsoft.Compute/diskEncryptionSets/"
_ADDED: Final = "northeurope"
_PREMIUM: Final = "Premium_LRS"


def _region(name: str, **extra: Any) -> Region:
    latest = {"excludeFromLatest": name == "eastus2"}
    return Region(name, replicas=2, storage_account_type=_PREMIUM, extra={**latest, **extra})


_PLACES: Final = (HOME, "eastus2", "southeastasia")
_MORE: Final = [{"regionalReplicaCount": 1, "storageAccountType": "Standard_LRS"}]
_BEFORE: Final[Mapping[str, Sequence[Region]]] = {
    "encrypted": [
        _region(name, encryption={"osDiskImage": {"diskEncryptionSetId": f"{_SETS}{name}"}}) for name in _PLACES
    ],
    "not encrypted": [_region(name, additionalReplicaSets=_MORE) for name in _PLACES],
}
"""Two versions, both on premium storage and not latest in one region; the other one has replica sets besides."""


def peers(desk: Desk) -> Iterator[Line]:
    """Let each add one region to a version."""
    if desk.peers:
        _install()
    for kind in _BEFORE:
        yield _ours(desk, kind)
    if _python("az").exists():
        full = [f"{name}=2={_PREMIUM}" for name in (*_PLACES, _ADDED)]
        yield _az("not encrypted", "regions by name", [*_PLACES, _ADDED])
        yield _az("not encrypted", "with replicas and storage", full)
        yield _az("encrypted", "with replicas and storage", full)
    else:
        yield _absent("az sig image-version update")
    yield _custodian() if _python("c7n").exists() else _absent("Cloud Custodian")


def _python(name: str) -> Path:
    return _FOLDER / name / "bin" / "python"


def _absent(name: str) -> Line:
    return Line("peers", name, "not installed", None, note="python -m bench --peers installs it into bench/.peers")


def _install() -> None:
    """Install what is pinned, where it is not there yet: the two do not fit into one venv."""
    _FOLDER.mkdir(exist_ok=True)
    (_FOLDER / ".gitignore").write_text("*\n")
    pins = _PINS.read_text().split()
    for name, ours in (("az", pins[:1]), ("c7n", pins[1:])):
        if not _python(name).exists():
            subprocess.run([sys.executable, "-m", "venv", str(_FOLDER / name)], check=True)
            subprocess.run([str(_python(name)), "-m", "pip", "install", "--quiet", *ours], check=True)


def _gallery(azure: SimulatedAzure, kind: str) -> tuple[str, str]:
    """Put the version there that everybody is to extend; give the ids of the gallery and the version."""
    gallery = azure.add_gallery("prodgallery")
    image = azure.add_image(gallery, "ubuntu-2204")
    return gallery, azure.add_version(image, "1.0.0", home=HOME, regions=_BEFORE[kind])


def _azure() -> SimulatedAzure:
    return SimulatedAzure(behaviour=Behaviour(update=Pace.after(5), replicate=Pace.after(600)))


def _ours(desk: Desk, kind: str) -> Line:
    with _azure() as azure:
        gallery, version = _gallery(azure, kind)
        before = _fields(azure, version)
        policy = {
            "TARGET_REGIONS": " ".join([*_PLACES, _ADDED]),
            "ENCRYPTION_SETS": json.dumps({_ADDED: f"{_SETS}{_ADDED}"}),
        }
        with desk.app(azure, [gallery], policy) as app:
            app.host.fire("sweep")
            until(lambda: azure.writes(version), seconds=60, what="our write")
            first = azure.writes(version)[0].at - azure.requests[0].at
            requests = reads.of(version.rpartition("/versions/")[0], azure.requests)
            write = next(at for at, each in enumerate(requests) if each.method == "PATCH")
            lost = _lost(before, _fields(azure, version))
    figures = {"fields lost": len(lost), "requests": write + 1}
    note = "from the first request of a fresh host's sweep to the accepted write"
    return Line("peers", f"Gallery Fanout, {kind}", "s until the write is accepted", first, figures=figures, note=note)


def _az(kind: str, how: str, regions: Sequence[str]) -> Line:
    """Run azure-cli's own command, with a stand-in for its login, against the simulated Azure."""
    with _azure() as azure:
        _, version = _gallery(azure, kind)
        before = _fields(azure, version)
        words = [str(_python("az")), str(ROOT / "bench" / "az_update.py"), azure.endpoint, version, *regions]
        home = {"AZURE_CONFIG_DIR": str(_FOLDER / "az-config"), "AZURE_CORE_COLLECT_TELEMETRY": "no"}
        begin = time.monotonic()
        given = {**os.environ, **home}
        ended = subprocess.run(words, cwd=_FOLDER, env=given, capture_output=True, check=False, text=True)
        seconds = time.monotonic() - begin
        lost, requests = _lost(before, _fields(azure, version)), azure.requests
        refusal = _refusal(requests) or ("" if azure.writes(version) else ended.stderr.strip()[-200:])
    note = f"refused: {refusal}" if refusal else f"accepted; lost: {', '.join(lost) or 'nothing'}"
    return Line(
        "peers",
        f"az sig image-version update, {kind}, {how}",
        "s until the write is accepted" if not refusal else "s until it was refused",
        seconds,
        figures={"fields lost": len(lost), "requests": len(requests)},
        note=f"{note}; a process of its own, as in a pipeline",
    )


def _refusal(requests: Sequence[Request]) -> str:
    return next((f"{each.status} {each.error_code}" for each in requests if each.status >= 400), "")  # noqa: PLR2004


def _fields(azure: SimulatedAzure, version: str) -> Mapping[tuple[str, str], Any]:
    """Give every field of every region that there is."""
    shown = azure.show(version) or {"properties": {"publishingProfile": {"targetRegions": []}}}
    regions = shown["properties"]["publishingProfile"]["targetRegions"]
    return {
        (short(region["name"]), name): value
        for region in regions
        for name, value in region.items()
        if name != "name" and value
    }


def _lost(before: Mapping[tuple[str, str], Any], after: Mapping[tuple[str, str], Any]) -> list[str]:
    """Name what was there before and is not as it was."""
    return [f"{name} of {region}" for (region, name), value in before.items() if after.get((region, name)) != value]


def _custodian() -> Line:
    """Measure what can be measured without Azure: how long it takes to be ready for an event."""
    words = [str(_python("c7n")), str(ROOT / "bench" / "c7n_ready.py")]
    ended = subprocess.run(words, cwd=_FOLDER, capture_output=True, text=True, check=True)
    found: Mapping[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return Line(
        "peers",
        "Cloud Custodian, event mode",
        "s to import it and load a policy for the same event",
        float(found["seconds"]),
        figures={"MiB": float(found["mib"])},
        note=f"{found['said']}; its event mode wants a login, a queue and an app that it deploys into Azure, so "
        "no reaction was measured. It has no resource for image versions and no action that writes their regions",
    )
