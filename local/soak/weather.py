"""What is wrong just now: troubles come and go, and Azure behaves as they say together."""

import subprocess
import time
from collections import Counter
from dataclasses import dataclass, field, fields, replace
from typing import Any

from local.azure import Behaviour, SimulatedAzure
from local.azurite import Azurite
from local.soak.scene import CALM, SINKS
from local.soak.troubles import Trouble


@dataclass(slots=True)
class Weather:
    """The troubles of the moment, by the name of their kind. `times` counts them, `pauses` are those of storage."""

    azure: SimulatedAzure
    azurite: Azurite
    now: dict[str, Trouble] = field(default_factory=dict)
    times: Counter[str] = field(default_factory=Counter)
    pauses: list[tuple[float, float]] = field(default_factory=list)
    _wakers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def begin(self, kind: str, trouble: Trouble, seconds: float) -> None:
        """Let something be wrong; what ends by itself does so after these seconds, the rest when it is told to."""
        self.times[kind] += 1
        self.now[kind] = trouble
        if trouble.throttled is not None:
            self.azure.throttle(seconds, **trouble.throttled)
        if trouble.chat:
            sink, status, retry_after = trouble.chat
            self.azure.chat_answers(sink, [status], retry_after=retry_after)
        if trouble.storage:
            begin = time.time()
            self.pauses.append((begin, begin + seconds))
            self._wakers.append(self.azurite.pause(seconds))
        self._apply()

    def end(self, kind: str) -> None:
        """Let it be right again."""
        trouble = self.now.pop(kind, None)
        if trouble and trouble.chat:
            self.azure.chat_answers(trouble.chat[0], [])
        self._apply()

    def clear(self) -> None:
        """Let everything be right again."""
        self.now.clear()
        for sink in SINKS:
            self.azure.chat_answers(sink, [])
        self._apply()
        for each in self._wakers:
            each.wait()

    def _apply(self) -> None:
        """Change what is to change, and nothing else: faults that are set again would strike anew."""
        is_now, wanted = self.azure.behaviour, _together(self.now)
        self.azure.set_behaviour(
            **{
                each.name: getattr(wanted, each.name)
                for each in fields(Behaviour)
                if getattr(wanted, each.name) != getattr(is_now, each.name)
            }
        )


def _together(troubles: dict[str, Trouble]) -> Behaviour:
    """Give the behaviour of an Azure that has all these troubles."""
    changes: dict[str, Any] = {}
    for trouble in troubles.values():
        changes |= trouble.behaviour
    return replace(CALM, **changes, faults=tuple(fault for trouble in troubles.values() for fault in trouble.faults))
