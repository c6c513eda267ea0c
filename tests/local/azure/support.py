"""What the tests of the simulated Azure share: a clock, plain HTTP and an Event Grid endpoint."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.error import HTTPError
from urllib.request import Request, urlopen

SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
API = "api-version=2024-03-03"


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self):
        self.now = 1_800_000_000.25

    def __call__(self):
        """Return the seconds since 1970."""
        return self.now


def ask(method, url, body=None, content_type="application/json"):
    """Return the status, the headers (lower-case names) and the JSON (None: empty) of one request."""
    content = None if body is None else json.dumps(body).encode()
    headers = {"content-type": content_type}
    request = Request(url, data=content, method=method, headers=headers)  # noqa: S310  loopback only
    try:
        with urlopen(request) as response:  # noqa: S310  loopback only
            return _read(response)
    except HTTPError as response:
        with response:
            return _read(response)


def _read(response):
    text = response.read().decode()
    headers = {name.lower(): value for name, value in response.headers.items()}
    return response.status, headers, json.loads(text) if text.startswith(("{", "[")) else text or None


def body_for(*regions, **publishing):
    """Return the body of a PUT that creates a version at home in westeurope."""
    targets = [{"name": region} if isinstance(region, str) else region for region in regions]
    return {
        "location": "westeurope",
        "properties": {
            "publishingProfile": {"targetRegions": targets, **publishing},
            "storageProfile": {"source": {"id": "/subscriptions/s/resourceGroups/g/providers/x/images/built"}},
        },
    }


class Endpoint:
    """An Event Grid endpoint: answers handshakes, and events with the scripted statuses (the last repeats)."""

    def __init__(self, *statuses, port=0):
        self.statuses = list(statuses) or [200]
        self.handshakes = []
        self.events = []
        self.headers = []
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/events"

    def __enter__(self):
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, kind, batch):
        """Return the status and the JSON to answer with."""
        if kind == "SubscriptionValidation":
            self.handshakes.append(batch)
            return 200, {"validationResponse": batch[0]["data"]["validationCode"]}
        self.events += batch
        return (self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]), {}

    def _handler(self):
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                endpoint.headers.append({name.lower(): value for name, value in self.headers.items()})
                batch = json.loads(self.rfile.read(int(self.headers["content-length"])))
                status, answer = endpoint.answer(self.headers["aeg-event-type"], batch)
                self.send_response(status)
                self.end_headers()
                self.wfile.write(json.dumps(answer).encode())

            def log_message(self, *_):
                """Say nothing."""

        return Handler
