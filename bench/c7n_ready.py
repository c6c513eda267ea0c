"""Run by Cloud Custodian's Python: load a policy that would take the events of image versions; print what it took."""

import json
import time

_BEGIN = time.perf_counter()

from c7n.config import Config  # type: ignore[import-not-found, import-untyped, unused-ignore]  # noqa: E402  it is measured
from c7n.policy import PolicyCollection  # type: ignore[import-not-found, import-untyped, unused-ignore]  # noqa: E402
from c7n.resources import load_resources  # type: ignore[import-not-found, import-untyped, unused-ignore]  # noqa: E402
from c7n_azure.entry import initialize_azure  # type: ignore[import-not-found, import-untyped, unused-ignore]  # noqa: E402

_EVENT = {"resourceProvider": "Microsoft.Compute/galleries/images/versions", "event": "write"}
_POLICY = {
    "name": "image-versions",
    "resource": "azure.armresource",
    "mode": {"type": "azure-event-grid", "events": [_EVENT]},
    "filters": [{"type": "value", "key": "properties.provisioningState", "value": "Succeeded"}],
}


def main() -> None:
    """Load, and say."""
    initialize_azure()
    load_resources(("azure.armresource",))
    loaded = PolicyCollection.from_data({"policies": [_POLICY]}, Config.empty())
    seconds = time.perf_counter() - _BEGIN
    with open("/proc/self/status") as status:  # noqa: PTH123
        mib = int(status.read().split("VmHWM:")[1].split()[0]) / 1024
    said = f"{len(list(loaded))} policy loaded, on azure.armresource"
    print(json.dumps({"seconds": seconds, "mib": mib, "said": said}))


main()
