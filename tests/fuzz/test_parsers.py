"""Events, queue messages, tags and regions: read, or Malformed, and nothing else is raised."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.batch import batch_name
from shared.core.errors import Malformed
from shared.core.events import version_of
from shared.core.messages import KINDS, Queue, bury, read, ticket_in, ticketed, unearth, write
from shared.core.names import VersionId
from shared.core.policy import Policy
from shared.core.tags import KEEP_LATEST_TAG, REGIONS_TAG, protects, tuned
from shared.core.target_regions import MOST_REPLICAS, RegionDefaults, parse_target_regions, total_replicas
from tests.core import strategies
from tests.core.build import policy
from tests.fuzz.mutations import odd_texts, odd_values, outside, spoiled, tried
from tests.fuzz.samples import EVENTS_IN, MESSAGES, TICKET
from tests.settings.environment import TUNED

_TARGETS = [
    TUNED["TARGET_REGIONS"],
    'westeurope=3=standard_zrs; eastus2=120vms "West US 2"',
    "a1b=1;;c2d",
    "'uk south'=2",
]
_BODIES = {queue: outside([json.loads(text) for text in texts]) for queue, texts in MESSAGES.items()}
_BURIED = bury("not JSON", "it is not JSON")


@pytest.mark.parametrize("queue", Queue)
@given(st.data())
@tried(60)
def test_messages(queue, data):
    """A spoiled message is Malformed, or a message that is written and read again as the same one."""
    text = data.draw(_BODIES[queue])
    try:
        message = read(queue, text)
    except Malformed:
        return
    assert type(message) is KINDS[queue]
    again = read(queue, write(message))
    assert write(again) == write(message)


@pytest.mark.parametrize("queue", Queue)
@given(odd_texts | odd_values | spoiled([TICKET]))
@tried(75)
def test_tickets(queue, given_ticket):
    """Whatever a message has for a ticket, what is taken for one names a holder of a claim and a batch, or is none."""
    text = json.dumps({**json.loads(MESSAGES[queue][0]), "ticket": given_ticket})
    assert read(queue, text) == read(queue, MESSAGES[queue][0])
    ticket = ticket_in(text)
    if ticket is not None:
        assert ticket == given_ticket
        assert 0 < len(ticket.encode()) <= 100
        assert ticket.isprintable()
        assert batch_name(ticket, 0)
        assert ticket_in(ticketed(MESSAGES[queue][0], ticket)) == ticket


@given(spoiled([_BURIED]) | outside([json.loads(_BURIED)]))
@tried(75)
def test_buried_messages(text):
    """Whatever lies in a poison queue is unearthed as texts, and what was buried again comes back as it was."""
    inner, reason = unearth(text)
    assert isinstance(inner, str)
    assert reason is None or isinstance(reason, str)
    if len(text) < 8_000:  # one too long for a queue with its reason goes without
        assert unearth(bury(text, "again")) == (text, "again")


@given(outside(EVENTS_IN))
@tried(75)
def test_events(text):
    """A spoiled event is about a version, or is Malformed."""
    try:
        event = json.loads(text)
    except (ValueError, RecursionError):
        return
    given_event = event if isinstance(event, dict) else {"data": event, "subject": event, "eventType": event}
    try:
        found = version_of(given_event.get("eventType"), given_event.get("subject"), given_event.get("data"))
    except Malformed as fault:
        assert str(fault).isprintable()  # noqa: PT017  either outcome is right
        return
    assert isinstance(found, VersionId)


_names = st.sampled_from([REGIONS_TAG, KEEP_LATEST_TAG, REGIONS_TAG.upper(), "gallery-fanout-keep"]) | spoiled(
    [REGIONS_TAG]
)
_values = st.one_of(spoiled(_TARGETS), spoiled(["3", "1000", "true"]), odd_texts, odd_values)


@given(st.dictionaries(_names, _values))
@tried(50)
def test_tags(tags):
    """Whatever the tags, a policy comes of them that Azure can take, and what is wrong is a line in its warnings."""
    before = policy()
    after = tuned(before, tags)
    assert isinstance(after, Policy)
    assert 1 <= total_replicas(after.regions) <= MOST_REPLICAS
    assert 1 <= after.keep_latest <= 1000
    assert all(warning.isprintable() for warning in after.warnings)
    assert protects(tags, "gallery-fanout-keep") in (True, False)


@given(strategies.json_values | _values)
@tried(50)
def test_what_is_no_tags(tags):
    """Anything at all in place of tags protects or does not, and raises nothing."""
    assert protects(tags, "gallery-fanout-keep") in (True, False)


@given(spoiled(_TARGETS) | odd_texts)
@tried(150)
def test_target_regions(text):
    """Spoiled target regions are regions in plain ASCII within Azure's limit, or Malformed with a printable reason."""
    try:
        found = parse_target_regions(text, RegionDefaults())
    except Malformed as fault:
        assert str(fault).isprintable()  # noqa: PT017  either outcome is right
        return
    assert 1 <= total_replicas(found) <= MOST_REPLICAS
    assert all(target.region.isascii() and target.region.isalnum() for target in found)
