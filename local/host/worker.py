"""Microsoft's worker library, in process: index the app, run a function."""

import sys
import time
import uuid
from collections.abc import Mapping
from pathlib import Path

from azure_functions_runtime import (  # type: ignore[import-untyped]
    function_load_request,
    functions_metadata_request,
    invocation_request,
    start_threadpool_executor,
    worker_init_request,
)

from local.host import console, protos
from local.host.errors import BadApp, InvocationFailed
from local.host.model import Function, functions
from local.host.protos import (
    FunctionLoadRequest,
    InvocationRequest,
    InvocationResponse,
    ParameterBinding,
    StreamingMessage,
    TypedData,
    WorkerInitRequest,
    WorkerRequest,
)


def _request(message: StreamingMessage) -> WorkerRequest:
    return WorkerRequest(request=message, properties={"host": "127.0.0.1", "protos": protos})


async def index(root: Path, settings: Mapping[str, str]) -> dict[str, Function]:
    """Import the app in `root` and give its functions by name; raises BadApp with the app's own exception.

    The order of the requests is that of Azure's host. PYTHON_THREADPOOL_THREAD_COUNT is read here.
    """
    sys.path.insert(0, str(root))
    start_threadpool_executor()
    init = StreamingMessage(worker_init_request=WorkerInitRequest(str(root)))
    answer = await worker_init_request(_request(init))
    if answer.result.exception:
        raise BadApp(answer.result.exception.message, answer.result.exception.stack_trace)
    found = await functions_metadata_request(_request(StreamingMessage()))
    if not found.function_metadata_results:
        raise BadApp(f"no functions in {root}: is there a function_app.py?")
    app = functions(found.function_metadata_results, settings)
    for each in app.values():
        await function_load_request(_request(StreamingMessage(function_load_request=FunctionLoadRequest(each.id))))
    return app


async def run(function: Function, data: TypedData, metadata: Mapping[str, TypedData]) -> InvocationResponse:
    """Run a function once; raises InvocationFailed, after logging why."""
    request = InvocationRequest(
        invocation_id=str(uuid.uuid4()),
        function_id=function.id,
        input_data=[ParameterBinding(name=function.trigger.name, data=data)],
        trigger_metadata=metadata,
    )
    begin = time.monotonic()
    answer: InvocationResponse = await invocation_request(_request(StreamingMessage(invocation_request=request)))
    took = time.monotonic() - begin
    console.report_end(function.name, request.invocation_id, succeeded=not answer.result.exception, seconds=took)
    if answer.result.exception:
        console.report_failure(function.name, answer.result.exception.message, answer.result.exception.stack_trace)
        raise InvocationFailed(answer.result.exception.message)
    return answer
