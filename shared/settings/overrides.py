"""``POLICY_OVERRIDES``: other policies for some image definitions."""

import json
import re
from collections.abc import Mapping
from typing import Any

from shared.core.errors import Malformed
from shared.core.policy import Policy
from shared.settings.reading import Reading
from shared.settings.table import POLICY_SETTINGS, SETTINGS
from shared.settings.values import Override

_PATTERN = re.compile(r"([\w.*?-]+)/([\w.*?-]+)", re.ASCII)
_EXCLUSIVE = "exclusive"


def read_overrides(reading: Reading, given: Mapping[str, Any]) -> tuple[Override, ...]:
    """Read each pattern's policy: the app's settings, with those that the pattern gives in their place.

    Faults go to the reading. The most specific pattern comes first; of two that say as much, the first one written.
    """
    found: dict[str, Override] = {}
    for pattern, changes in given.items():
        if pattern.casefold() in found:
            reading.faults.append(f"POLICY_OVERRIDES: {pattern!r}: named twice, in other letter case")
            continue
        try:
            found[pattern.casefold()] = _override(reading, pattern, changes)
        except Malformed as fault:
            reading.faults.append(f"POLICY_OVERRIDES: {pattern!r}: {fault}")
    return tuple(sorted(found.values(), key=lambda override: override.specificity, reverse=True))


def _override(reading: Reading, pattern: str, changes: object) -> Override:
    match = _PATTERN.fullmatch(pattern)
    if not match:
        raise Malformed("wanted the pattern 'gallery/image', in which * and ? stand for other characters")
    if not isinstance(changes, dict):
        raise Malformed(f"given {json.dumps(changes)}, wanted a JSON object of settings in lower case")
    gallery, image = match[1].casefold(), match[2].casefold()
    return Override(gallery, image, _policy(reading, changes))


def _policy(reading: Reading, changes: Mapping[str, Any]) -> Policy:
    texts: dict[str, str] = {}
    faults = _unknown(changes)
    for name in POLICY_SETTINGS:
        if name.lower() in changes:
            try:
                texts[name] = _text(name, changes[name.lower()])
            except Malformed as fault:
                faults.append(str(fault))
    exclusive = changes.get(_EXCLUSIVE, False)
    if not isinstance(exclusive, bool):
        faults.append(f"{_EXCLUSIVE}: given {json.dumps(exclusive)}, wanted true or false")
    own = Reading({**reading.environment, **texts})
    policy = own.policy({name: own.value(name, SETTINGS[name]) for name in POLICY_SETTINGS}, exclusive=exclusive)
    faults += [fault for fault in own.faults if fault not in reading.faults]
    if faults:
        raise Malformed("; ".join(faults))
    return policy


def _unknown(changes: Mapping[str, Any]) -> list[str]:
    known = [*(name.lower() for name in POLICY_SETTINGS), _EXCLUSIVE]
    unknown = ", ".join(repr(name) for name in changes if name not in known)
    return [f"{unknown}: no such setting, wanted some of {', '.join(known)}"] if unknown else []


def _text(name: str, value: object) -> str:
    """Give the text that the app setting would have."""
    setting = SETTINGS[name]
    if isinstance(value, str) and value.strip():
        return value
    if type(value) is setting.json and setting.json is not str:
        return json.dumps(value)
    raise Malformed(f"{name.lower()}: given {json.dumps(value)}, wanted {setting.wanted}")
