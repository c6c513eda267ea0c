"""``python -m bench.planned SIZE converged|open``: plan once in a fresh process; print CPU seconds and MiB."""

import gc
import json
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from shared.adapters.gallery_json import read_version
from shared.core.model import Definition, ImageVersion
from shared.core.names import ImageId, VersionId
from shared.core.planner import plan
from shared.core.policy import Policy
from shared.core.target_regions import RegionDefaults, parse_target_regions
from shared.wiring import spare_collector

_NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
_GALLERY = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg/providers/Microsoft.Compute/galleries"
_IMAGE = ImageId.parse(f"{_GALLERY}/prodgallery/images/ubuntu-2204")
_REGIONS = ("West Europe", "East US 2", "Southeast Asia")
_CAP = 10


def main() -> None:
    """Build the versions from JSON as Azure gives it, and plan."""
    spare_collector()  # as the app does
    size, converged = int(sys.argv[1]), sys.argv[2] == "converged"
    policy = Policy(parse_target_regions("westeurope eastus2 southeastasia", RegionDefaults()))
    plan(Definition(_IMAGE, (_version(0, here=3, replicated=True),)), policy, now=_NOW, cap=_CAP)  # what is loaded late
    gc.collect()
    before = _mib()
    newest = size - 1
    versions = tuple(
        _version(patch, here=1 if converged and patch != newest else 3, replicated=patch == newest)
        for patch in range(size)
    )
    definition = Definition(_IMAGE, versions)
    built, clock = _mib(), time.process_time()
    made = plan(definition, policy, now=_NOW, cap=_CAP)
    cpu, after = time.process_time() - clock, _mib()
    print(json.dumps({"cpu": cpu, "mib": after - before, "plan_mib": after - built, "versions": len(made.versions)}))


def _version(patch: int, *, here: int, replicated: bool) -> ImageVersion:
    """Read a version as from an answer of its own, so that nothing is shared; lists have no `replicationStatus`."""
    regions = [{"name": each, "regionalReplicaCount": 1, "storageAccountType": "Standard_LRS"} for each in _REGIONS]
    published = (_NOW - timedelta(days=1)).isoformat()
    publishing = {"targetRegions": regions[:here], "excludeFromLatest": False, "publishedDate": published}
    properties = {
        "publishingProfile": publishing,
        "provisioningState": "Succeeded",
        "safetyProfile": {"allowDeletionOfReplicatedLocations": False},
        "storageProfile": {"osDiskImage": {"sizeInGB": 30, "hostCaching": "ReadWrite"}},
    }
    if replicated:
        names = ("westeurope", "eastus2", "southeastasia")
        properties["replicationStatus"] = {"summary": [{"region": each, "state": "Completed"} for each in names]}
    wire = json.dumps({"location": "westeurope", "properties": properties})
    return read_version(VersionId.parse(f"{_IMAGE}/versions/1.0.{patch}"), json.loads(wire))


def _mib() -> float:
    """Give the most memory that this process has held. Linux only."""
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024


if __name__ == "__main__":
    main()
