import itertools
import re

from tests.local.host.support import ask, count, event, exists, notify, peek, put, says, until

_RECORDER = """
@app.queue_trigger(arg_name="message", queue_name="work", connection=STORAGE)
def do(message: func.QueueMessage) -> None:
    logging.info("try %s at %f", message.dequeue_count, time.time())
    raise ValueError("no luck")
"""


def test_poison_after_the_last_try(serve, storage):
    """A message is tried maxDequeueCount times, visibilityTimeout apart, and then poisoned unchanged."""
    put(storage, "work", "hello")
    with serve(_RECORDER, {"maxDequeueCount": 3, "visibilityTimeout": "00:00:01"}) as host:
        assert until(lambda: peek(storage, "work-poison")) == ["aGVsbG8="]
        until(lambda: count(storage, "work") == 0)
        tries = re.findall(r"try (\d) at (\S+)", host.log())
    assert [number for number, _ in tries] == ["1", "2", "3"]
    moments = [float(moment) for _, moment in tries]
    assert all(later - earlier >= 0.9 for earlier, later in itertools.pairwise(moments))
    assert "hello" not in host.log()


def test_a_poison_queue_has_no_poison_queue(serve, storage):
    """What fails on a poison queue stays invisible for the lease, is tried again, and is never poisoned."""
    source = _RECORDER.replace('"work"', '"work-poison"')
    put(storage, "work-poison", "hello")
    with serve(source, {"maxDequeueCount": 2}, lease_seconds=1) as host:
        says(host, "try 2")
        says(host, "is left in work-poison")
        assert count(storage, "work-poison") == 1
        first, second = (float(each) for each in re.findall(r"try \d at (\S+)", host.log()))
    assert second - first >= 0.9
    assert not exists(storage, "work-poison-poison")


def test_a_body_overwrites_metadata(serve, storage):
    """Top-level keys of a JSON body overwrite what the host says of the message, whatever their case; lists do not."""
    put(storage, "work", '{"ID": "mine", "dequeueCount": 40, "popReceipt": ["no"]}')
    source = """
    @app.queue_trigger(arg_name="message", queue_name="work", connection=STORAGE)
    def do(message: func.QueueMessage) -> None:
        logging.info("is %s %s %s", message.id, message.dequeue_count, message.pop_receipt != "mine")
        logging.info("times %s %s", message.insertion_time.year, message.expiration_time > message.insertion_time)
    """
    with serve(source) as host:
        says(host, "is mine 40 True")
        says(host, "times 20")
        until(lambda: count(storage, "work") == 0)


def test_what_is_not_base64(serve, storage):
    """A body that is not base64 goes to the poison queue as it is, and one line says so."""
    put(storage, "work", "{not base64}", encoded=False)
    with serve(_RECORDER) as host:
        assert until(lambda: peek(storage, "work-poison")) == ["{not base64}"]
        assert host.log().count("its body is not what messageEncoding says") == 1
        assert "try" not in host.log()


def test_plain_messages(serve, storage):
    """With messageEncoding none bodies are taken and put as they are."""
    put(storage, "work", "plain", encoded=False)
    source = """
    @app.queue_trigger(arg_name="message", queue_name="work", connection=STORAGE)
    @app.queue_output(arg_name="$return", queue_name="done", connection=STORAGE)
    def do(message: func.QueueMessage) -> str:
        return message.get_body().decode() + "!"
    """
    with serve(source, {"messageEncoding": "none"}):
        assert until(lambda: peek(storage, "done")) == ["plain!"]


def test_outputs(serve, storage):
    """A list is several messages; a queue name may come from a setting; a put that fails fails the invocation."""
    source = """
    import typing
    @app.event_grid_trigger(arg_name="event")
    @app.queue_output(arg_name="many", queue_name="%MANY%", connection=STORAGE)
    def several(event: func.EventGridEvent, many: func.Out[typing.List[str]]) -> None:
        many.set(["a", "b"])

    @app.event_grid_trigger(arg_name="event")
    @app.queue_output(arg_name="$return", queue_name="Not_A_Queue", connection=STORAGE)
    def nowhere(event: func.EventGridEvent) -> str:
        return "lost"
    """
    with serve(source, settings={"MANY": "many"}) as host:
        assert notify(host, "several", event("one")) == 202
        assert sorted(peek(storage, "many")) == ["YQ==", "Yg=="]
        assert notify(host, "nowhere", event("one")) == 500
        assert "nowhere failed: its output was not delivered" in host.log()


def test_how_many_at_once(serve, storage):
    """No more messages run at once than batchSize and newBatchThreshold allow, and all are seen through."""
    source = """
    import threading
    running = set()
    @app.queue_trigger(arg_name="message", queue_name="work", connection=STORAGE)
    def do(message: func.QueueMessage) -> None:
        running.add(message.id)
        logging.info("running %d", len(running))
        time.sleep(0.2)
        running.discard(message.id)
    """
    for number in range(6):
        put(storage, "work", str(number))
    with serve(source, {"batchSize": 2, "newBatchThreshold": 0}) as host:
        until(lambda: count(storage, "work") == 0)
    assert re.findall(r"running (\d)", host.log()).count("2") >= 1
    assert "running 3" not in host.log()


def test_a_killed_host_loses_nothing(serve, storage):
    """A message that was running when its host was killed is seen again when its lease ends."""
    source = """
    @app.queue_trigger(arg_name="message", queue_name="work", connection=STORAGE)
    def do(message: func.QueueMessage) -> None:
        logging.info("try %s", message.dequeue_count)
        while message.dequeue_count == 1:
            time.sleep(0.1)
        logging.info("done")
    """
    put(storage, "work", "hello")
    with serve(source, lease_seconds=1) as host:
        says(host, "try 1")
        host.kill()
        assert host.returncode == -9
        host.start()
        says(host, "try 2")
        says(host, "done")
        until(lambda: count(storage, "work") == 0)


def test_a_long_run_keeps_its_message(serve, storage):
    """The lease of a running message is renewed, so nobody else gets it, and it is deleted in the end."""
    source = """
    @app.queue_trigger(arg_name="message", queue_name="work", connection=STORAGE)
    def do(message: func.QueueMessage) -> None:
        logging.info("try %s", message.dequeue_count)
        time.sleep(2.7)
        logging.info("done")
    """
    put(storage, "work", "hello")
    with serve(source, lease_seconds=2) as host:
        says(host, "done")
        until(lambda: count(storage, "work") == 0)
        assert host.log().count("try") == 1


def test_fired_by_hand(serve):
    """A queue function takes a body from the admin endpoint, which wants the key and answers before it has run."""
    source = """
    @app.queue_trigger(arg_name="message", queue_name="work", connection=STORAGE)
    def do(message: func.QueueMessage) -> None:
        logging.info("got %s", message.get_body())
    """
    with serve(source) as host:
        host.fire("do", "by hand")
        says(host, "got b'by hand'")
        assert ask("POST", f"{host.url}/admin/functions/do", {"input": ""})[0] == 401
        assert ask("POST", f"{host.url}/admin/functions/other?code={host.key}", {"input": ""})[0] == 404
