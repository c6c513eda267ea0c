"""What the tests of the host share: writing an app, asking it, waiting for something."""

import base64
import http.client
import json
import textwrap
import time
from urllib.parse import urlsplit

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueClient

_PREAMBLE = """
import json, logging, time
from pathlib import Path
import azure.functions as func
STORAGE = "AzureWebJobsStorage"
app = func.FunctionApp()
"""

# Quick polling, so that no test waits for a listener that has backed off.
_QUEUES = {"maxPollingInterval": "00:00:00.2"}


def write_app(root, source, queues=None):
    """Write a function app that is this source, with `queues` as its queue options in host.json."""
    root.mkdir()
    (root / "function_app.py").write_text(_PREAMBLE + textwrap.dedent(source))
    host = {"version": "2.0", "extensions": {"queues": _QUEUES | (queues or {})}}
    (root / "host.json").write_text(json.dumps(host))
    return root


def until(condition, seconds=20):
    """Wait until a condition holds and give what it gave; fail when it does not in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s")


def says(host, text, seconds=20):
    """Wait until the host's log has this text."""
    try:
        until(lambda: text in host.log(), seconds)
    except AssertionError:
        raise AssertionError(f"{text!r} is not in the log:\n{host.log()}") from None


def ask(method, url, body=None, **headers):
    """Send a request and give status and text; header names take underscores for hyphens."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=20)
    try:
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        sent = None if body is None else json.dumps(body)
        connection.request(method, path, sent, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def notify(host, function, *events):
    """Post events as Event Grid does and give the status."""
    return ask("POST", host.event_grid_url(function), list(events), aeg_event_type="Notification")[0]


def event(subject):
    """Make an Event Grid event."""
    return {
        "id": subject,
        "topic": "/subscriptions/s",
        "subject": subject,
        "eventType": "Happened",
        "eventTime": "2025-01-01T00:00:00.1234567Z",
        "data": {},
        "dataVersion": "1",
    }


def put(storage, queue, text, *, encoded=True):
    """Put a message on a queue, which is created if it is missing."""
    with QueueClient.from_connection_string(storage, queue) as client:
        content = base64.b64encode(text.encode()).decode() if encoded else text
        try:
            client.send_message(content)
        except ResourceNotFoundError:
            client.create_queue()
            client.send_message(content)


def peek(storage, queue):
    """Give the raw contents of the visible messages; none for a queue that does not exist."""
    with QueueClient.from_connection_string(storage, queue) as client:
        try:
            return [each.content for each in client.peek_messages(32)]
        except ResourceNotFoundError:
            return []


def exists(storage, queue):
    """Tell whether there is such a queue."""
    with QueueClient.from_connection_string(storage, queue) as client:
        try:
            client.get_queue_properties()
        except ResourceNotFoundError:
            return False
        return True


def count(storage, queue):
    """Give how many messages a queue has, invisible ones too."""
    with QueueClient.from_connection_string(storage, queue) as client:
        return client.get_queue_properties().approximate_message_count
