"""What the functions do with bodies that nobody meant: nothing is raised, nothing is asked, nothing is lost."""

import json
from functools import cache
from unittest.mock import Mock

import azure.functions as func
import pytest
from azure.functions.eventgrid import EventGridEventInConverter
from azure.functions.meta import Datum
from hypothesis import assume, example, given
from hypothesis import strategies as st

from shared.adapters.webhooks import Answer
from shared.core.errors import Malformed
from shared.core.messages import Queue, bury, read, unearth
from shared.core.names import VersionId
from tests.core import strategies
from tests.core.build import GALLERY_ID, IMAGE, NOW
from tests.fuzz.doubles import OnlyQueues, WithDeadLetters
from tests.fuzz.mutations import CONTROLS, LOOK_ALIKES, TRAVERSALS, odd_texts, odd_values, outside, spoiled, tried
from tests.fuzz.samples import EVENT, EVENTS_IN, MESSAGES, STATUSES
from tests.served import functions

EVERY_QUEUE = pytest.mark.parametrize("queue", Queue)


class Out:
    """An output binding."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def set(self, text: str) -> None:
        """Take a message."""
        self.texts.append(text)


@pytest.fixture(scope="module")
def taken():
    """The function that takes events; gives what it put."""
    function = functions(OnlyQueues())["image_event"]

    def take(event: func.EventGridEvent) -> list[str]:
        out = Out()
        function(event, out)
        return out.texts

    return take


def check(texts: list[str]) -> None:
    """At most one message, which can be read, and is about a gallery that we manage."""
    assert len(texts) <= 1
    for text in texts:
        assert str(read(Queue.RECONCILE, text).definition.gallery).casefold() == GALLERY_ID.casefold()


def event(**fields):
    """Make an event as the worker's library does."""
    known = {"id": "1", "topic": "", "subject": EVENT["subject"], "event_type": EVENT["eventType"], "event_time": NOW}
    return func.EventGridEvent(**{**known, "data": EVENT["data"], "data_version": "2", **fields})


def decoded(text: str):
    """Give what the worker's library makes of a payload."""
    return EventGridEventInConverter.decode(Datum(text, "json"), trigger_metadata=None)


@pytest.mark.parametrize("payload", EVENTS_IN)
def test_events_of_either_schema(taken, payload):
    """An event in Event Grid's own schema or as a CloudEvent asks for a pass: a subscription chooses which it sends."""
    (text,) = taken(decoded(json.dumps(payload)))
    assert read(Queue.RECONCILE, text).definition == IMAGE


@given(outside(EVENTS_IN))
@tried(100)
def test_spoiled_events(taken, text):
    """Whatever the worker's library makes of a spoiled payload is taken or dropped, and only good messages are put."""
    try:
        made = decoded(text)
    except Exception:  # noqa: BLE001  the worker refuses it, and no function is called
        return
    check(taken(made))


@given(
    st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(
            ["id", "topic", "subject", "event_type", "event_time", "data", "data_version"], odd_values
        ),
    )
)
@tried(100)
def test_odd_events(taken, fields):
    """Whatever an event of the worker's library holds, nothing is raised, and only good messages are put."""
    check(taken(event(**fields)))


@given(strategies.versions_ids, st.booleans())
@tried(40)
def test_foreign_galleries(taken, version, in_subject):
    """An event about a version in anybody else's gallery puts nothing."""
    given_event = event(subject=str(version), data={}) if in_subject else event(data={"resourceUri": str(version)})
    assert taken(given_event) == []


@given(st.sampled_from(CONTROLS + LOOK_ALIKES + TRAVERSALS), st.integers(0, len(EVENT["subject"])))
@tried(75)
def test_hostile_events(taken, piece, place):
    """An event whose resource has a hostile piece anywhere in its id puts nothing, whatever its subject says."""
    uri = EVENT["subject"][:place] + piece + EVENT["subject"][place:]
    assert taken(event(data={"resourceUri": uri})) == []


def is_message(queue: Queue, text: str) -> bool:
    """Whether a text can be read."""
    try:
        read(queue, text)
    except Malformed:
        return False
    return True


_BAD = (
    "{}",
    '{"type": "x", "data": "y"}',
    '{"type": "x", "data": {"regions": 7}}',
    '{"type": "x", "data": {"regions": ["a"]}}',
    '{"type": "x", "data": {"regions": [{"name": "a", "state": "b"}]}}',
    '{"type": "x", "data": {"regionsKept": [{"name": "a"}]}}',
    '{"type": "x", "data": {"changes": [{}]}}',
    '{"type": "x", "data": {"seconds": {}}}',
    '{"type": "x", "data": {"seconds": 1e308}}',
    '{"type": "x", "data": {"supersedes": [{}]}}',
    '{"type": "x", "data": {"warnings": null}}',
)
FORMS = ("1-teams", "2-slack", "3-json", "4-topic")
_NOTIFY = json.loads(MESSAGES[Queue.NOTIFY][0])
_whole = json.dumps({**_NOTIFY, "event": "EVENT"})
events = (
    outside(STATUSES)
    .map(lambda event: _whole.replace('"EVENT"', event))
    .filter(lambda text: len(text) < 8_000 and text.isascii() and is_message(Queue.NOTIFY, text))
)
"""Messages with any status."""


@cache
def bodies(queue: Queue) -> st.SearchStrategy[bytes]:
    """Bodies of every kind: spoiled messages of this queue and of others, text, and bytes that are no text."""
    good = [json.loads(text) for text in [*MESSAGES[queue], *MESSAGES[Queue.WATCH], bury("x", "y")]]
    texts = outside(good).map(lambda text: text.encode("utf-8", "surrogatepass"))
    return texts | st.binary(max_size=200) | st.tuples(texts, st.binary(max_size=4)).map(b"".join)


@EVERY_QUEUE
@given(st.data())
@tried(50)
def test_stages_bury_what_they_cannot_read(queue, data):
    """A body that is no message is buried as it was, with a reason; nothing is raised, and Azure is not called."""
    body = data.draw(bodies(queue))
    text = body.decode("utf-8", errors="replace")
    assume(not is_message(queue, text))
    assume(len(body) < 8_000)  # longer ones have a claim of their own
    app = OnlyQueues()
    functions(app)[queue](func.QueueMessage(id="7", body=body))
    ((name, buried),) = app.queues.there
    assert name == queue.poison
    inner, reason = unearth(buried)
    assert inner == text
    assert reason


@pytest.mark.parametrize("piece", [b"x", b'"', b"\0", "\u20ac".encode(), b"\xff"], ids=repr)
def test_stages_bury_the_longest_messages(piece):
    """The longest message that a queue takes, 48 KiB of whatever bytes, can be buried too."""
    body = (piece * 48 * 1024)[: 48 * 1024]
    app = OnlyQueues()
    functions(app)["watch"](func.QueueMessage(id="7", body=body))
    ((name, _),) = app.queues.there
    assert name == Queue.WATCH.poison


@EVERY_QUEUE
@given(st.data())
@tried(50)
def test_poison(queue, data):
    """Whatever comes to lie in a poison queue is kept once, as its text, and told; nothing is raised, nothing asked."""
    body = data.draw(bodies(queue))
    app = WithDeadLetters()
    functions(app)[f"poison_{queue}"](func.QueueMessage(id="7", body=body))
    (letter,) = app.dead_letters.kept
    assert (letter.queue, letter.name) == (queue, "7")
    assert letter.body == unearth(body.decode("utf-8", errors="replace"))[0]
    assert letter.reason
    assert {name for name, _ in app.queues.there} <= {Queue.NOTIFY}
    assert all(is_message(Queue.NOTIFY, told) for _, told in app.queues.there)


@given(events)
@example(_whole.replace('"EVENT"', "{}"))
@tried(50)
def test_poison_with_any_status(text):
    """A status that could not be posted, whatever is in it, is kept, and people are told."""
    app = WithDeadLetters()
    functions(app)["poison_notify"](func.QueueMessage(id="7", body=text))
    assert [letter.body for letter in app.dead_letters.kept] == [text]


@given(events | st.sampled_from(_BAD).map(lambda event: _whole.replace('"EVENT"', event)), st.sampled_from(FORMS))
@tried(100)
def test_any_status_is_posted_or_buried(text, webhook):
    """A status, whatever is in it, is posted as JSON or buried with a reason, to each kind of webhook."""
    app = WithDeadLetters()
    text = text.replace('"1-teams"', f'"{webhook}"', 1)
    app.deliveries = Mock()
    app.webhooks = app.topic = Mock(post=lambda _webhook, body, _kind: json.dumps(body) and Answer(200, "HTTP 200"))
    functions(app)["notify"](func.QueueMessage(id="7", body=text))
    assert {name for name, _ in app.queues.there} <= {Queue.NOTIFY.poison}
    assert all(unearth(buried)[1] for _, buried in app.queues.there)


@pytest.mark.parametrize("event", _BAD)
def test_statuses_that_are_none(event):
    """A status that lacks what its kind has, or has it in another shape, is posted or buried, and raises nothing."""
    for webhook in FORMS:
        test_any_status_is_posted_or_buried.hypothesis.inner_test(_whole.replace('"EVENT"', event), webhook)


@given(spoiled(["1-teams", "2-slack"]) | odd_texts)
@tried(40)
def test_webhooks_that_are_not_there(webhook):
    """A status for a webhook that is not among the settings is buried, whatever it is called, and nobody is asked."""
    assume(webhook not in FORMS and "," not in webhook)  # a comma stands between several, of which each gets its own
    text = json.dumps({**json.loads(MESSAGES[Queue.NOTIFY][0]), "webhook": webhook})
    app = OnlyQueues()
    functions(app)["notify"](func.QueueMessage(id="7", body=text))
    ((name, buried),) = app.queues.there
    assert name == Queue.NOTIFY.poison
    assert unearth(buried)[0] == text


@given(st.data())
@tried(75)
def test_what_events_put_names_what_they_named(taken, data):
    """A message that is put names the image definition of exactly the version that the event named."""
    payload = json.loads(data.draw(st.sampled_from([json.dumps(each) for each in EVENTS_IN])))
    uri = data.draw(spoiled([EVENT["subject"], EVENT["subject"].upper()]))
    texts = taken(event(data={**payload["data"], "resourceUri": uri}))
    for text in texts:
        assert read(Queue.RECONCILE, text).definition == VersionId.parse(uri).image
