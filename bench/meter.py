"""The app as it is, with every call and every invocation written down, one line of JSON each.

`rig` makes an app folder whose `function_app.py` takes `app` from here. Three settings: BENCH_METER is the file;
BENCH_FUNCTIONS names the functions that are served, all of them when it is absent, and BENCH_LEFT_OUT those that are
not, as Azure's host has it where functions scale by themselves. Calls carry the names of the function that makes them
and of the image definition it is about, so that the simulated Azure's own journal tells who asked. The wrapping costs
some 50 microseconds for a call; rows that compare speeds do without.
"""

import functools
import json
import os
import re
import threading
import time
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import azure.functions as func
from urllib3 import HTTPConnectionPool

STAGE_HEADER = "x-bench-stage"
IMAGE_HEADER = "x-bench-image"
_ROOT = Path(__file__).parents[1]

_IMAGE = re.compile(r"/galleries/[^/]+/images/([\w.-]+)", re.IGNORECASE)

_now = threading.local()
_lock = threading.Lock()


def _write(**line: Any) -> None:
    path = os.environ.get("BENCH_METER")
    if path:
        with _lock, Path(path).open("a") as file:
            file.write(json.dumps(line) + "\n")


def _timed(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Write down when a function was called, how long it took, and its thread's CPU time."""

    @functools.wraps(function)
    def timed(*words: Any, **named: Any) -> Any:
        _now.stage, _now.image = name, _image([*words, *named.values()])
        begin, clock, cpu = time.time(), time.perf_counter(), time.thread_time()
        try:
            return function(*words, **named)
        finally:
            seconds, used = time.perf_counter() - clock, time.thread_time() - cpu
            _write(kind="invocation", stage=name, image=_now.image, at=begin, seconds=seconds, cpu=used)
            _now.stage = _now.image = ""

    return timed


def _image(given: list[Any]) -> str:
    """Find the name of the image definition that a message or an event is about."""
    for each in given:
        if isinstance(each, func.EventGridEvent):
            text = each.subject
        elif isinstance(each, func.QueueMessage):
            text = each.get_body().decode(errors="replace")
        else:
            continue
        found = _IMAGE.search(text or "")
        return found[1].lower() if found else ""
    return ""


def _see_calls() -> None:
    """Stand where all calls pass: the SDKs (through requests) and the webhooks end in urllib3's urlopen."""
    urlopen: Callable[..., Any] = HTTPConnectionPool.urlopen

    def seen(pool: HTTPConnectionPool, method: str, url: str, *rest: Any, **options: Any) -> Any:
        stage, image = getattr(_now, "stage", ""), getattr(_now, "image", "")
        options["headers"] = {**(options.get("headers") or {}), STAGE_HEADER: stage, IMAGE_HEADER: image}
        path = url.partition("?")[0]
        _write(kind="call", stage=stage, image=image, method=method, port=pool.port, path=path, at=time.time())
        return urlopen(pool, method, url, *rest, **options)

    HTTPConnectionPool.urlopen = seen  # type: ignore[method-assign, assignment]


def _see_functions() -> None:
    """Wrap the functions when the worker asks for them, and leave out those that are not served here."""
    given = func.FunctionApp.get_functions
    served, left_out = (os.environ.get(name, "").split() for name in ("BENCH_FUNCTIONS", "BENCH_LEFT_OUT"))

    def serves(name: str) -> bool:
        return name not in left_out and (not served or name in served)

    def get_functions(app: Any) -> list[Any]:
        found = [each for each in given(app) if serves(str(each.get_function_name()))]
        for each in found:
            each._func = _timed(str(each.get_function_name()), each.get_user_function())  # noqa: SLF001  there is no setter
        return found

    func.FunctionApp.get_functions = get_functions  # type: ignore[method-assign, assignment]


def _load() -> func.FunctionApp:
    spec = spec_from_file_location("gallery_fanout_app", _ROOT / "function_app.py")
    if spec is None or spec.loader is None:
        raise ImportError("function_app.py cannot be loaded")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    loaded = module.app
    if not isinstance(loaded, func.FunctionApp):
        raise TypeError("function_app.app is no function app")
    return loaded


if os.environ.get("BENCH_METER"):
    _see_calls()
    _see_functions()
    app = _load()
