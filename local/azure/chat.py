"""A chat, and an Event Grid topic, that remember what was posted and answer as told."""

import json
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from threading import Condition
from typing import Any, Final

from aiohttp import web

# What the real ones answer when all is well (documented): Teams workflows 202, Slack a plain "ok".
_DEFAULT_STATUSES: Final = {"teams": 202}
_OK: Final = range(200, 300)
_TOPIC: Final = "topic"
_BATCH: Final = "application/cloudevents-batch+json"
_REQUIRED: Final = frozenset({"specversion", "id", "source", "type"})


@dataclass(frozen=True, slots=True)
class Post:
    """One post: `kind` is the first part of the path, `body` the parsed JSON or else the text, `status` our answer."""

    at: float
    kind: str
    path: str
    headers: Mapping[str, str]
    body: Any
    status: int


class Chat:
    """The sink. `changed` is the simulation's one lock; it is notified after each post."""

    def __init__(self, changed: Condition, *, clock: Callable[[], float]) -> None:
        self.posts: list[Post] = []
        self._changed = changed
        self._clock = clock
        self._scripts: dict[str, deque[int]] = {}
        self._retry_after: dict[str, float] = {}

    def script(self, kind: str, statuses: Iterable[int], *, retry_after: float | None = None) -> None:
        """Answer the coming posts of a kind with these statuses; the last one repeats.

        `retry_after`, in seconds, goes as a header with each that is not a success. No statuses: the default again.
        """
        self._scripts[kind] = deque(statuses)
        self._retry_after.pop(kind, None)
        if retry_after is not None:
            self._retry_after[kind] = retry_after

    async def receive(self, request: web.Request) -> web.Response:
        """Record a post and answer it."""
        text = await request.text()
        kind = request.match_info["kind"]
        headers = {name.lower(): value for name, value in request.headers.items()}
        with self._changed:
            status = self._next_status(kind)
            self.posts.append(Post(self._clock(), kind, request.path, headers, _parsed(text), status))
            after = self._retry_after.get(kind)
            self._changed.notify_all()
        return _response(kind, status, after)

    async def publish(self, request: web.Request) -> web.Response:
        """Record each event of a batch, as a post of its own, and answer as a topic does (documented)."""
        batch = _parsed(await request.text())
        known = isinstance(batch, list) and all(isinstance(each, dict) and each.keys() >= _REQUIRED for each in batch)
        if not known or request.content_type != _BATCH or "api-version" not in request.query:
            return web.json_response(
                {"error": {"code": "BadRequest", "message": "no batch of CloudEvents"}}, status=400
            )
        headers = {name.lower(): value for name, value in request.headers.items()}
        with self._changed:
            status = self._next_status(_TOPIC)
            self.posts += [Post(self._clock(), _TOPIC, request.path, headers, event, status) for event in batch]
            after = self._retry_after.get(_TOPIC)
            self._changed.notify_all()
        return _response(_TOPIC, status, after)

    async def show(self, _request: web.Request) -> web.Response:
        """Show the posts to people, without their paths: those are the secrets."""
        with self._changed:
            posts = [{"at": p.at, "kind": p.kind, "status": p.status, "body": p.body} for p in self.posts]
        return web.json_response(posts)

    def _next_status(self, kind: str) -> int:
        script = self._scripts.get(kind)
        if not script:
            return _DEFAULT_STATUSES.get(kind, 200)
        return script.popleft() if len(script) > 1 else script[0]


def _parsed(text: str) -> Any:
    """Return the JSON of a post, or its text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _response(kind: str, status: int, retry_after: float | None) -> web.Response:
    """Answer as that kind of chat does."""
    if status in _OK:
        return web.Response(status=status, text="ok" if kind == "slack" else "")
    headers = {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}
    return web.Response(status=status, headers=headers, text="scripted answer")
