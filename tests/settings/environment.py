"""App settings that are good, and ways to spoil them."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from shared.core.names import ImageId
from shared.core.policy import InUse, Mode, Policy
from shared.core.target_regions import RegionDefaults, RegionTarget, StorageAccountType
from shared.settings import BadSettings, Settings, load
from tests.core.build import GALLERY_ID, SUBSCRIPTION

CONNECTION = (
    "DefaultEndpointsProtocol=https;AccountName=fanout;AccountKey=c2VjcmV0LWtleQ==;EndpointSuffix=core.windows.net"
)
GOOD = {
    "TARGET_REGIONS": "westeurope eastus2",
    "GALLERIES": GALLERY_ID,
    "AzureWebJobsStorage": CONNECTION,
}
"""What is required, and no more."""

ENCRYPTION_SET = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/keys-rg/providers/Microsoft.Compute/diskEncryptionSets/des-1"
)
TUNED = {
    "TARGET_REGIONS": "westeurope=100vms; eastus2",
    "REPLICA_COUNT": "3",
    "VMS_PER_REPLICA": "50",
    "STORAGE_ACCOUNT_TYPE": "standard_zrs",
    "ENCRYPTION_SETS": json.dumps({"westeurope": ENCRYPTION_SET, "East US 2": f"{ENCRYPTION_SET}2"}),
    "WAVE_BAKE": "PT4H",
    "KEEP_LATEST": "2",
    "HOME_REPLICA_COUNT": "4",
    "PRUNE_GRACE": "P1DT12H",
    "PRUNE_MAX_PER_PASS": "5",
    "PROTECT_TAG": "frozen",
    "PROTECT_IN_USE": "All",
    "PRUNE_UNLOCKS_REGIONS": "False",
    "MODE": "Replicate",
}
"""Each setting of a policy, none with its default."""

ZRS = StorageAccountType.STANDARD_ZRS
TUNED_POLICY = Policy(
    regions=(RegionTarget("westeurope", 2, ZRS, wave=1), RegionTarget("eastus2", 3, ZRS, wave=2)),
    defaults=RegionDefaults(replicas=3, vms_per_replica=50, storage_account_type=ZRS),
    encryption_sets={"westeurope": ENCRYPTION_SET, "eastus2": f"{ENCRYPTION_SET}2"},
    wave_bake=timedelta(hours=4),
    keep_latest=2,
    home_replicas=4,
    prune_grace=timedelta(days=1, hours=12),
    prune_cap=5,
    protect_tag="frozen",
    protect_in_use=InUse.ALL,
    unlocks_regions=False,
    mode=Mode.REPLICATE,
)
"""What they mean."""


def settings(**given: str) -> Settings:
    """Load good settings with some of them given anew."""
    return load({**GOOD, **given})


def overriding(overrides: Mapping[str, Any], **given: str) -> Settings:
    """Load good settings with overrides."""
    return settings(POLICY_OVERRIDES=json.dumps(overrides), **given)


def faults(**given: str) -> list[str]:
    """Load settings that have faults."""
    with pytest.raises(BadSettings) as caught:
        settings(**given)
    return caught.value.faults


def override_faults(overrides: Mapping[str, Any], **given: str) -> list[str]:
    """Load overrides that have faults."""
    return faults(POLICY_OVERRIDES=json.dumps(overrides), **given)


def image(path: str) -> ImageId:
    """Name an image definition: ``gallery/image``."""
    gallery, _, name = path.partition("/")
    return ImageId.parse(f"{GALLERY_ID.replace('prodgallery', gallery)}/images/{name}")
