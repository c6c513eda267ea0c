"""Everything at once, in any order: nothing is removed that must stay, and in the end it converges."""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import timedelta
from itertools import count
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from local.azure import ArmError, Behaviour, Pace, SimulatedAzure
from local.gallery_rules import Seen, unsafe, unsettled
from local.shown import states
from tests.flows.clockwork import Clock, Clockwork

pytestmark = pytest.mark.flow

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
REGIONS = ("westeurope", "eastus2", "southeastasia", "uksouth")
POLICIES: tuple[Mapping[str, str], ...] = (
    {"regions": "westeurope eastus2 southeastasia"},
    {"regions": "westeurope; eastus2=2; uksouth", "WAVE_BAKE": "PT30M"},
    {"regions": "westeurope eastus2 uksouth", "KEEP_LATEST": "2", "PRUNE_GRACE": "PT2H"},
    {"regions": "eastus2 southeastasia", "PRUNE_MAX_PER_PASS": "1", "HOME_REPLICA_COUNT": "2"},
    {"regions": "westeurope uksouth", "MODE": "replicate"},
    {"regions": "westeurope eastus2", "POLICY_OVERRIDES": '{"*/ubuntu*": {"exclusive": true}}'},
)
_EXAMPLES = int(os.environ.get("ANY_ORDER_EXAMPLES", "4"))  # a few in every run; hundreds when somebody has the time
KEEP = {"gallery-fanout-keep": "true"}
numbers = st.sampled_from([f"1.0.{patch}" for patch in range(5)])
regions = st.sampled_from(REGIONS)
one = st.integers(0, 7)


class AnyOrder(RuleBasedStateMachine):
    """A gallery that many hands are at, while the app handles its messages one by one."""

    storage: ClassVar[str]
    galleries: ClassVar[Iterator[int]] = count()

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        pace = {"create": Pace.after(600), "update": Pace.after(300), "replicate": Pace.after(900)}
        clock = Clock()
        self.azure = self.stack.enter_context(SimulatedAzure(behaviour=Behaviour(**pace), clock=clock))
        self.app = Clockwork(self.azure, clock, self.storage, gallery=f"gallery{next(self.galleries)}")
        self.uses: dict[str, tuple[str, str]] = {}
        self.tags: Mapping[str, str] = {}
        self.stale: tuple[str, Any] | None = None

    @initialize(which=st.sampled_from(POLICIES), old=st.integers(0, 3))
    def begin(self, which: Mapping[str, str], old: int) -> None:
        for patch in range(old):
            self.azure.add_version(self.app.image, f"1.0.{patch}", regions=list(REGIONS[:3]))
        self.decide(which)

    @rule(which=st.sampled_from(POLICIES))
    def decide(self, which: Mapping[str, str]) -> None:
        self.policy = which
        self.app.decide(**which)

    @rule(number=numbers, home=st.sampled_from(REGIONS[:2]), excluded=st.sampled_from([False, False, False, True]))
    def publish(self, number: str, home: str, excluded: bool) -> None:  # noqa: FBT001  drawn
        if not self.azure.show(self.app.version(number)):
            self.azure.publish(self.app.image, number, home=home, excluded=excluded)

    @rule(home=st.sampled_from(REGIONS[:2]), minutes=st.sampled_from([0, 10, 40]))
    def publish_the_newest(self, home: str, minutes: int) -> None:
        """What happens most: a build pipeline publishes, its event comes, and the app works for a while."""
        newest = max((_patch(name) for name in self.azure.versions(self.app.image)), default=0)
        number = f"1.0.{newest + 1}"
        self.azure.publish(self.app.image, number, home=home)
        self.app.pass_time(10 * MINUTE)
        self.app.event(number)
        self._run(minutes * MINUTE)

    @rule(number=numbers)
    def delete(self, number: str) -> None:
        self._by_hand(lambda: self.azure.delete(self.app.version(number)))

    @rule(number=numbers, excluded=st.booleans())
    def exclude(self, number: str, excluded: bool) -> None:  # noqa: FBT001  drawn
        self._edit(number, lambda profile: profile.update(excludeFromLatest=excluded))

    @rule(number=numbers, region=regions, replicas=st.integers(1, 3))
    def add_region(self, number: str, region: str, replicas: int) -> None:
        def edit(profile: dict[str, Any]) -> None:
            others = [each for each in profile["targetRegions"] if each["name"].replace(" ", "").lower() != region]
            profile["targetRegions"] = [*others, {"name": region, "regionalReplicaCount": replicas}]

        self._edit(number, edit)

    @rule(number=numbers)
    def read_for_later(self, number: str) -> None:
        """Somebody reads a version, and will write it back when it is out of date."""
        shown = self.azure.show(self.app.version(number))
        self.stale = (number, shown["properties"]["publishingProfile"]["targetRegions"]) if shown else None

    @precondition(lambda self: self.stale)
    @rule()
    def write_what_was_read(self) -> None:
        assert self.stale
        number, read = self.stale
        self._edit(number, lambda profile: profile.update(targetRegions=read))

    @rule(number=numbers, tags=st.sampled_from([{}, KEEP, {**KEEP, "gallery-fanout-keep": "false"}]))
    def tag_version(self, number: str, tags: Mapping[str, str]) -> None:
        self._by_hand(lambda: self.azure.set_tags(self.app.version(number), tags))

    @rule(
        tags=st.sampled_from(
            [{}, {}, KEEP, {"gallery-fanout-keep-latest": "2"}, {"gallery-fanout-regions": "westeurope; uksouth"}]
        )
    )
    def tag_definition(self, tags: Mapping[str, str]) -> None:
        self.tags = tags
        self.azure.set_tags(self.app.image, tags)

    @rule(region=regions)
    def fail_next(self, region: str) -> None:
        self.azure.set_behaviour(failing_regions={region: 1})

    @rule(number=numbers, region=regions, flexible=st.booleans())
    def use(self, number: str, region: str, flexible: bool) -> None:  # noqa: FBT001  drawn
        machine = self.azure.add_scale_set(
            f"web-{len(self.uses)}", image=self.app.version(number), location=region, flexible=flexible
        )
        self.uses[machine] = (number, region)

    @precondition(lambda self: self.uses)
    @rule()
    def stop_using(self) -> None:
        self.azure.remove(self.uses.popitem()[0])

    @rule(minutes=st.sampled_from([1, 5, 20, 90]))
    def pass_time(self, minutes: int) -> None:
        self.app.pass_time(minutes * MINUTE)

    @rule(number=numbers, kind=st.sampled_from(["ResourceWriteSuccess", "ResourceDeleteSuccess"]))
    def event(self, number: str, kind: str) -> None:
        self.app.event(number, kind)

    @rule()
    def sweep(self) -> None:
        self.app.sweep()

    @rule(which=one)
    def handle(self, which: int) -> None:
        due = self.app.queues.due()
        if due:
            self._handle(due[which % len(due)])

    @rule(which=one)
    def deliver_twice(self, which: int) -> None:
        waiting = self.app.queues.waiting
        if waiting:
            waiting.append(waiting[which % len(waiting)])

    @rule(minutes=st.sampled_from([1, 10, 30, 120]))
    def work(self, minutes: int) -> None:
        self._run(minutes * MINUTE)

    @rule(minutes=st.sampled_from([1, 10, 30, 120]))
    def sweep_and_work(self, minutes: int) -> None:
        self.app.sweep()
        self._run(minutes * MINUTE)

    def teardown(self) -> None:
        try:
            if hasattr(self, "policy"):
                self._converges()
        finally:
            self.stack.close()

    def _converges(self) -> None:
        """When all hands are off, a few sweeps bring everything where the policy wants it, and then nothing moves."""
        for _ in range(6):
            self.app.sweep()
            self._run(4 * HOUR)
        seen = self._seen()
        failed = {name for name, version in seen.versions.items() if "Failed" in states(version).values()}
        broken = unsettled(seen, {(name, region) for name in failed for region in seen.regions})
        assert not broken, (broken, self.app.rows())
        before = len(self.azure.writes())
        self.app.sweep()
        self._run(HOUR)
        assert len(self.azure.writes()) == before, "a converged gallery was written to"

    def _run(self, length: timedelta) -> None:
        self.app.run(length, handle=self._handle)

    def _handle(self, message: Any) -> None:
        before, written = self._seen(), len(self.azure.writes())
        self.app.handle(message)
        for write in self.azure.writes()[written:]:
            assert not unsafe(before, write)

    def _seen(self) -> Seen:
        return Seen.of(self.azure.versions(self.app.image), self.policy, self.uses.values(), self.tags)

    def _edit(self, number: str, edit: Any) -> None:
        def write(version: dict[str, Any]) -> None:
            version["properties"]["safetyProfile"]["allowDeletionOfReplicatedLocations"] = True
            edit(version["properties"]["publishingProfile"])

        self._by_hand(lambda: self.azure.update(self.app.version(number), write))

    @staticmethod
    def _by_hand(act: Any) -> None:
        try:
            act()
        except ArmError:  # not there, or on its way out: then these hands do nothing
            return


def _patch(number: str) -> int:
    return int(number.rpartition(".")[2])


def test_any_order(storage: str) -> None:
    """Whatever people, pipelines and Azure do, in whatever order messages come, the app removes nothing that must stay,
    and brings the gallery to where the policy wants it.
    """
    AnyOrder.storage = storage
    run_state_machine_as_test(
        AnyOrder,
        settings=settings(
            max_examples=_EXAMPLES,
            phases=(Phase.explicit, Phase.generate),  # to make an example smaller takes an hour of these
            stateful_step_count=25,
            deadline=None,
            database=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
