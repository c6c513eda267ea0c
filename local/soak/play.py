"""The soak as it goes: the script, step by step; then calm, until the galleries have converged; then a last sweep."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from local.gallery_rules import unsettled
from local.soak.evidence import Aftermath, Evidence
from local.soak.scene import SECRET
from local.soak.script import Rig, Size, Step
from local.soak.storage import Storage

_EVERY: Final = 5.0
"""Seconds between two lines that say how far it is, between two looks into the queues, and between two sweeps."""

_TICK: Final = 0.2
_QUIET_FOR: Final = 1.0
_SWEPT_WITHIN: Final = 20.0
_AT_THE_END: Final = 12.0
"""Seconds that are kept for the last sweep, and for checking."""


@dataclass(slots=True)
class Play:
    """A soak under way. `say` takes each line of what happens; `converged` is how many seconds that took."""

    rig: Rig
    storage: Storage
    size: Size
    say: Callable[[str], None]
    begun: float = field(default_factory=time.time)
    converged: float | None = None
    leaks: list[str] = field(default_factory=list)
    aftermath: Aftermath | None = None
    _spoken: float = 0.0

    def storm(self, script: Sequence[Step]) -> None:
        """Do what the script says, each step when its time has come."""
        begin = time.time()
        for step in script:
            while (wait := begin + step.at - time.time()) > 0:
                self._go_on()
                time.sleep(min(wait, _TICK))
            told = step.act(self.rig)
            text = step.text if told is None else told
            if text:
                self.say(text)

    def calm(self) -> None:
        """Let everything be right, and wait until the galleries have converged, as long as there is time."""
        self.rig.weather.clear()
        self.rig.hosts.settle()
        self.say("calm     everything is right again")
        begin, swept = time.time(), 0.0
        while (now := time.time()) < self.begun + self.size.seconds - _AT_THE_END:
            if now > swept + 2 * _EVERY and self.rig.hosts.sweep():
                swept = now
            self._go_on()
            if not self.storage.queued() and not self.undone():
                self.converged = now - begin
                self.say(f"calm     converged after {self.converged:.0f} s")
                return
            time.sleep(_TICK)

    def end(self) -> None:
        """See what is left; when all has converged, after a last sweep, which should find nothing to do."""
        new = ["it had not converged"] if self.converged is None else self._swept()
        self._look_into_queues()
        leaks = [*self.leaks, *_leaking("a row", self.storage.rows()), *_leaking("a log", self.rig.hosts.logs())]
        self.aftermath = Aftermath(self.storage.queued(), self.storage.dead_letters(), leaks, new)

    def _swept(self) -> list[str]:
        """Fire the timer once more, and say what is written and posted after that."""
        azure = self.rig.scene.azure
        requests, writes, posts = len(azure.requests), len(azure.writes()), len(azure.posts)
        self.rig.hosts.sweep()
        self._await(lambda: len(azure.requests) > requests + len(self.rig.scene.definitions))
        self._await(lambda: not self.storage.queued())
        new = [f"{write.method} {write.path.partition('/galleries/')[2]}" for write in azure.writes()[writes:]]
        return [*new, *(f"posted {post.body['type']}" for post in azure.posts[posts:])]

    def evidence(self) -> Evidence:
        """Give all that was seen."""
        scene = self.rig.scene
        return Evidence(
            seen={each.image: scene.see(each) for each in scene.definitions},
            requests=scene.azure.requests,
            posts=scene.azure.posts,
            changes=scene.changes,
            added=scene.added,
            kills=self.rig.hosts.kills,
            pauses=self.rig.weather.pauses,
            log="".join(self.rig.hosts.logs()),
            aftermath=self.aftermath,
        )

    def undone(self) -> list[str]:
        """Say what is not yet where the policy wants it."""
        scene = self.rig.scene
        excused = Evidence({}, [], scene.azure.posts).excused
        return [
            f"{each.name} {fault}"
            for each in scene.definitions
            for fault in unsettled(scene.see(each), excused.get(each.image.lower(), set()))
        ]

    def _go_on(self) -> None:
        now = time.time()
        if now < self._spoken + _EVERY:
            return
        self._spoken, azure = now, self.rig.scene.azure
        queued = "storage stands still"
        if not self._storage_stands_still(now):
            self._look_into_queues()
            queued = f"{sum(self.storage.queued().values())} messages queued"
        writes, posts = len(azure.writes()), len(azure.posts)
        self.say(f"so far   {len(azure.requests)} calls, {writes} writes, {posts} posts, {queued}")

    def _storage_stands_still(self, now: float) -> bool:
        return any(begin <= now <= end for begin, end in self.rig.weather.pauses)

    def _look_into_queues(self) -> None:
        self.leaks += _leaking("a message", self.storage.messages())

    def _await(self, condition: Callable[[], bool]) -> None:
        """Wait until something is so, and is for a while."""
        deadline, since = time.time() + _SWEPT_WITHIN / 2, time.time()
        while (now := time.time()) < deadline and now < since + _QUIET_FOR:
            if not condition():
                since = now
            time.sleep(_TICK)


def _leaking(what: str, texts: Iterable[str]) -> list[str]:
    return [f"it is in {what}" for text in texts if SECRET in text]
