import socket
from datetime import datetime
from itertools import islice

import pytest
from azure.eventgrid import EventGridEvent
from hypothesis import given
from hypothesis import strategies as st

from local.azure import SimulatedAzure
from local.azure.eventgrid import MOST_TRIES, retry_delays
from local.azure.timestamps import Stamps, parsed, utc, written
from tests.local.azure.support import API, Endpoint, ask, body_for


@pytest.fixture
def endpoint(azure):
    """Subscribe an endpoint that takes every event."""
    with Endpoint() as listening:
        azure.deliver_to(listening.url)
        azure.wait_until(lambda: listening.handshakes)
        yield listening


def finish(azure, clock, endpoint, count):
    """Let a second pass and return the events once so many have come."""
    clock.now += 1
    azure.tick()
    azure.wait_until(lambda: len(endpoint.events) >= count)
    return [EventGridEvent.from_dict(event) for event in endpoint.events]


def test_each_finished_write_raises_one_event(azure, image, endpoint, clock):
    """Publish, an outside update, a write over HTTP and a deletion: one event each, when the operation ends."""
    version = azure.publish(image, "1.0.1")
    azure.tick()
    assert endpoint.events == []
    finish(azure, clock, endpoint, 1)
    azure.update(version, lambda resource: resource.update(tags={"a": "b"}))
    finish(azure, clock, endpoint, 2)
    ask("PATCH", f"{azure.endpoint}{version}?{API}", {"tags": {}})
    finish(azure, clock, endpoint, 3)
    azure.delete(version)
    events = finish(azure, clock, endpoint, 4)
    kinds = [event.event_type.removeprefix("Microsoft.Resources.") for event in events]
    assert kinds == ["ResourceWriteSuccess"] * 3 + ["ResourceDeleteSuccess"]
    assert {event.subject.lower() for event in events} == {version.lower()}
    assert all(event.data["resourceUri"] == event.subject for event in events)
    assert events[0].data["operationName"] == "Microsoft.Compute/galleries/images/versions/write"
    assert events[3].data["operationName"] == "Microsoft.Compute/galleries/images/versions/delete"


def test_a_failed_operation_raises_a_failure(azure, image, endpoint, clock):
    """A publish that ends Failed and a write into a failing region raise ResourceWriteFailure."""
    azure.set_behaviour(failing_regions={"eastus2": -1})
    azure.publish(image, "1.0.1", provisioning_state="Failed")
    ask("PUT", f"{azure.endpoint}{image}/versions/1.0.2?{API}", body_for("westeurope", "eastus2"))
    events = finish(azure, clock, endpoint, 2)
    assert {event.event_type for event in events} == {"Microsoft.Resources.ResourceWriteFailure"}
    assert {event.data["status"] for event in events} == {"Failed"}


def test_a_version_that_is_placed_raises_nothing(azure, image, endpoint, clock):
    """`add_version` has long happened: the first event is that of the publish after it."""
    azure.add_version(image, "1.0.1")
    azure.publish(image, "1.0.2")
    (event,) = finish(azure, clock, endpoint, 1)
    assert event.subject.endswith("/1.0.2")


def test_events_come_as_event_grid_sends_them(azure, image, endpoint, clock):
    """A JSON array of one, with the two headers; claims have keys with dots and URLs."""
    azure.publish(image, "1.0.1")
    (event,) = finish(azure, clock, endpoint, 1)
    assert endpoint.headers[-1]["aeg-event-type"] == "Notification"
    assert endpoint.headers[-1]["content-type"].startswith("application/json")
    assert "http://schemas.microsoft.com/identity/claims/scope" in event.data["claims"]
    assert event.topic == f"/subscriptions/{event.data['subscriptionId']}"
    assert event.event_time == datetime.fromisoformat(utc(clock.now))


def test_the_shapes_of_events_vary(azure, image):
    """Twelve events show every httpRequest and every casing, and each names the same version."""
    version = azure.add_version(image, "1.0.1")
    events = [azure.event_for(version) for _ in range(12)]
    requests = [event["data"].get("httpRequest", "absent") for event in events]
    assert {"absent", ""} <= {request for request in requests if isinstance(request, str)}
    assert {} in requests
    assert any(isinstance(request, dict) and request["method"] == "PUT" for request in requests if request)
    assert {event["subject"] for event in events} == {
        version,
        version.replace("resourceGroups", "resourcegroups"),
        version.replace("Microsoft", "microsoft").replace(".Compute", ".compute"),
    }
    assert len({event["id"] for event in events}) == 12


def test_any_event_can_be_emitted_any_number_of_times(azure, endpoint):
    """Hostile shapes and duplicates go through the same delivery."""
    azure.emit({"id": "odd", "data": None}, times=3)
    azure.wait_until(lambda: len(azure.deliveries) == 3)
    assert endpoint.events == [{"id": "odd", "data": None}] * 3
    assert {(d.event_id, d.attempt, d.status) for d in azure.deliveries} == {("odd", 1, 200)}


def test_a_refused_event_is_tried_again(azure, clock):
    """Anything but 2xx is retried, and each try is recorded."""
    with Endpoint(500, 404, 200) as listening:
        azure.deliver_to(listening.url)
        azure.emit({"id": "one"})
        azure.wait_until(lambda: len(azure.deliveries) == 3)
    assert [(d.attempt, d.status, d.at) for d in azure.deliveries] == [
        (1, 500, clock.now),
        (2, 404, clock.now),
        (3, 200, clock.now),
    ]


def test_an_endpoint_that_is_down_is_tried_again(azure):
    """After the handshake the endpoint goes away and comes back: the event arrives, and status None was recorded."""
    with Endpoint() as listening:
        azure.deliver_to(listening.url)
        azure.wait_until(lambda: listening.handshakes)
        azure.emit({"id": "zero"})
        azure.wait_until(lambda: azure.deliveries)
    azure.emit({"id": "one"})
    azure.wait_until(lambda: len(azure.deliveries) >= 2)
    assert azure.deliveries[1].status is None
    with Endpoint(port=listening.port) as back:
        azure.wait_until(lambda: back.events)
    assert back.events == [{"id": "one"}]


def test_the_handshake_waits_for_an_endpoint_that_is_not_up(azure):
    """Subscribed before it listens, the endpoint gets the handshake and then the event, in this order."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    azure.deliver_to(f"http://127.0.0.1:{port}/events")
    azure.emit({"id": "early"})
    with Endpoint(port=port) as late:
        azure.wait_until(lambda: late.events)
    assert [headers["aeg-event-type"] for headers in late.headers] == ["SubscriptionValidation", "Notification"]
    assert late.handshakes[0][0]["eventType"] == "Microsoft.EventGrid.SubscriptionValidationEvent"


def test_an_endpoint_that_fails_the_handshake_gets_no_events(azure):
    """Without our code in the answer there is no delivery: the chat sink answers 200 and no code."""
    azure.deliver_to(azure.chat_url("hook", "x"))
    azure.emit({"id": "one"})
    azure.wait_until(lambda: len(azure.posts) >= 2)
    assert {post.headers["aeg-event-type"] for post in azure.posts} == {"SubscriptionValidation"}
    assert azure.deliveries == []


def test_an_event_is_dropped_after_thirty_tries(clock):
    """Event Grid gives up: the event is recorded as dropped."""
    with SimulatedAzure(clock=clock, retry_scale=0.0) as azure, Endpoint(503) as listening:
        azure.deliver_to(listening.url)
        azure.emit({"id": "one"})
        azure.wait_until(lambda: azure.dropped)
        assert azure.dropped == [{"id": "one"}]
        assert [delivery.attempt for delivery in azure.deliveries] == list(range(1, 31))


def test_the_retry_schedule_is_the_documented_one():
    """10 s, 30 s, 1 min, 5 min, 10 min, 30 min, 1 h, 3 h, 6 h, then every 12 h; the scale multiplies it."""
    assert list(islice(retry_delays(), 11)) == [10, 30, 60, 300, 600, 1800, 3600, 10800, 21600, 43200, 43200]
    assert list(islice(retry_delays(0.1), 3)) == [1, 3, 6]
    assert len(list(retry_delays())) == MOST_TRIES - 1


def test_events_wait_for_the_server(clock):
    """An endpoint may subscribe before the start; what is emitted until then is delivered after it."""
    azure = SimulatedAzure(clock=clock)
    with Endpoint() as listening:
        azure.deliver_to(listening.url)
        azure.emit({"id": "early"})
        with azure:
            azure.wait_until(lambda: listening.events)


def test_operations_end_by_themselves_with_the_real_clock():
    """Nobody ticks and nobody reads: the event comes all the same."""
    with SimulatedAzure() as azure, Endpoint() as listening:
        azure.deliver_to(listening.url)
        azure.publish(azure.add_image(azure.add_gallery("g"), "i"), "1.0.1")
        azure.wait_until(lambda: listening.events)


@given(at=st.floats(0, 4e9))
def test_timestamps_have_seven_digits_and_can_be_read_back(at):
    """Whatever the offset, the text means the same point in time, to the tenth of a microsecond cut."""
    stamps = Stamps()
    texts = [stamps.write(at) for _ in range(3)] + [utc(at), written(at)]
    assert len({text[-6:] for text in texts[:3]}) == 3
    assert all(len(text.split(".")[1]) >= len("1234567Z") for text in texts)
    assert all(abs(parsed(text) - at) < 1e-5 for text in texts)
