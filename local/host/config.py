"""host.json and local.settings.json."""

import json
import re
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.host.errors import BadApp

# Names of Microsoft.Extensions.Logging (host.json) and what they are called in Python.
_LEVELS = {
    "trace": "DEBUG",
    "debug": "DEBUG",
    "information": "INFO",
    "warning": "WARNING",
    "error": "ERROR",
    "critical": "CRITICAL",
    "none": "CRITICAL",
}


@dataclass(frozen=True, slots=True)
class QueueOptions:
    """`extensions.queues` of host.json. Durations are seconds; defaults are those of the storage extension 5.x."""

    batch_size: int = 16
    new_batch_threshold: int = 8
    max_dequeue_count: int = 5
    visibility_timeout: float = 0
    max_polling_interval: float = 60
    base64: bool = True


@dataclass(frozen=True, slots=True)
class HostConfig:
    """What this host honours of host.json."""

    queues: QueueOptions = QueueOptions()
    route_prefix: str = "api"
    log_level: str = "INFO"


def read_host_json(root: Path) -> HostConfig:
    """Read host.json; raises BadApp when it is missing or no JSON (as in Azure, where the host refuses to start)."""
    path = root / "host.json"
    if not path.exists():
        raise BadApp(f"{root} has no host.json")
    document = _json(path)
    extensions = document.get("extensions", {})
    level = str(document.get("logging", {}).get("logLevel", {}).get("default", "Information"))
    return HostConfig(
        queues=_queue_options(extensions.get("queues", {})),
        route_prefix=str(extensions.get("http", {}).get("routePrefix", "api")).strip("/"),
        log_level=_LEVELS.get(level.lower(), "INFO"),
    )


def _queue_options(section: Mapping[str, Any]) -> QueueOptions:
    batch_size = int(section.get("batchSize", 16))
    return QueueOptions(
        batch_size=batch_size,
        new_batch_threshold=int(section.get("newBatchThreshold", batch_size // 2)),
        max_dequeue_count=int(section.get("maxDequeueCount", 5)),
        visibility_timeout=_seconds(section.get("visibilityTimeout", 0)),
        max_polling_interval=_seconds(section.get("maxPollingInterval", "00:01:00")),
        base64=str(section.get("messageEncoding", "base64")).lower() == "base64",
    )


def _seconds(value: str | int) -> float:
    """Read a TimeSpan, `[d.]hh:mm:ss[.fff]`, or milliseconds as a number (the storage extension's older form)."""
    if isinstance(value, int):
        return value / 1000
    match = re.fullmatch(r"(?:(\d+)\.)?(\d+):(\d+):(\d+(?:\.\d+)?)", value)
    if not match:
        raise BadApp(f"host.json: {value!r} is not a time span like 00:00:30")
    days, hours, minutes, seconds = match.groups(default="0")
    return ((int(days) * 24 + int(hours)) * 60 + int(minutes)) * 60 + float(seconds)


def apply_settings(path: Path, environment: MutableMapping[str, str]) -> None:
    """Put the `Values` of a local.settings.json below what the environment has already.

    Lines that begin with // are comments, as `func` accepts them. Raises BadApp for a file that it cannot read.
    """
    values = _json(path).get("Values", {})
    for name, value in values.items():
        environment.setdefault(name, str(value))


def _json(path: Path) -> dict[str, Any]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
        document = json.loads("\n".join("" if line.lstrip().startswith("//") else line for line in lines))
    except OSError as fault:
        raise BadApp(f"cannot read {path}: {fault.strerror}") from None
    except ValueError as fault:
        raise BadApp(f"{path} is not JSON: {fault}") from None
    if not isinstance(document, dict):
        raise BadApp(f"{path} is not a JSON object")
    return document
