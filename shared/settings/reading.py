"""One reading of an environment; it goes on after a fault, so that all are found."""

from collections.abc import Mapping
from typing import Any

from shared.core.errors import Malformed
from shared.core.policy import Policy
from shared.core.target_regions import RegionDefaults, RegionTarget, parse_target_regions
from shared.settings import addresses
from shared.settings.table import SETTINGS, STORAGE, Setting
from shared.settings.values import Storage

_ANY_VMS = 10**6  # stands in for a faulty sizing rule, so that no sum of replicas is made up


class Reading:
    """Reads settings, and gathers their faults."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.faults: list[str] = []

    def value(self, name: str, setting: Setting) -> Any:
        """Read one setting; ``None`` for one that has a fault."""
        text = self.environment.get(name, "").strip() or setting.default
        if text is None:
            self.faults.append(f"{name}: not given, wanted {setting.wanted}")
            return None
        try:
            return setting.read(text)
        except (ValueError, KeyError) as fault:
            self.fault(name, fault)
            return None

    def fault(self, name: str, fault: Exception) -> None:
        """Remember a fault: the setting, what is wrong, what was given and what is wanted."""
        setting = SETTINGS[name]
        why = f"{fault}; " if isinstance(fault, Malformed) else ""
        given = "a secret that is not shown" if setting.secret else repr(self.environment.get(name, "").strip())
        self.faults.append(f"{name}: {why}given {given}, wanted {setting.wanted}")

    def policy(self, values: Mapping[str, Any], *, exclusive: bool = False) -> Policy:
        """Make the policy of values that were read; what it is worth when there are faults does not matter."""
        defaults = RegionDefaults(
            values["REPLICA_COUNT"] or 1, values["VMS_PER_REPLICA"] or _ANY_VMS, values["STORAGE_ACCOUNT_TYPE"]
        )
        return Policy(
            regions=self._regions(values["TARGET_REGIONS"], defaults),
            defaults=defaults,
            encryption_sets=values["ENCRYPTION_SETS"],
            wave_bake=values["WAVE_BAKE"],
            keep_latest=values["KEEP_LATEST"],
            home_replicas=values["HOME_REPLICA_COUNT"],
            prune_grace=values["PRUNE_GRACE"],
            prune_cap=values["PRUNE_MAX_PER_PASS"],
            protect_tag=values["PROTECT_TAG"],
            protect_in_use=values["PROTECT_IN_USE"],
            unlocks_regions=values["PRUNE_UNLOCKS_REGIONS"],
            mode=values["MODE"],
            exclusive=exclusive,
        )

    def _regions(self, text: str | None, defaults: RegionDefaults) -> tuple[RegionTarget, ...]:
        if not text:
            return ()
        try:
            return parse_target_regions(text, defaults)
        except Malformed as fault:
            self.fault("TARGET_REGIONS", fault)
            return ()

    def storage(self) -> Storage:
        """Read the connection to queues and table."""
        try:
            return addresses.storage(self.environment, STORAGE)
        except Malformed as fault:
            self.faults.append(
                f"{STORAGE}: {fault}, wanted a connection string, or {STORAGE}__accountName"
                f" (or __queueServiceUri and __tableServiceUri) with https addresses"
            )
            return Storage(None)
