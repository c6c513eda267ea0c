"""Plain stand-ins for the protobuf messages of the Functions RPC protocol (azure-functions-language-worker-protobuf).

The worker library never imports protobuf itself: it builds and reads whatever messages it is handed. Only what it
touches is here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, ClassVar


class TypedData:
    """A value and its kind: `TypedData(string="x")`, `json=`, `bytes=`, `http=`, ..., or nothing at all."""

    def __init__(self, **one_of: Any) -> None:
        self._kind: str | None = next(iter(one_of), None)
        self._value: Any = next(iter(one_of.values()), None)

    def WhichOneof(self, _group: str) -> str | None:  # noqa: N802 - protobuf's name
        """Give the kind of the value, None when there is none."""
        return self._kind

    def __getattr__(self, name: str) -> Any:
        if name == self.__dict__.get("_kind"):
            return self._value
        raise AttributeError(name)

    @property
    def value(self) -> Any:
        """The value, whatever its kind."""
        return self._value


@dataclass(frozen=True, slots=True)
class ParameterBinding:
    """One named input or output of an invocation."""

    name: str
    data: TypedData | None

    def WhichOneof(self, _group: str) -> str:  # noqa: N802 - protobuf's name
        """Say that data travels in the message; we offer no shared memory."""
        return "data"


@dataclass(frozen=True, slots=True)
class Value:
    """What the Nullable* messages and Timestamp have in common."""

    value: Any = None
    seconds: int = 0


NullableString = NullableBool = NullableDouble = NullableTimestamp = Timestamp = Value


@dataclass(frozen=True, slots=True)
class RpcHttpCookie:
    """A cookie that a function sets."""

    SameSite: ClassVar = SimpleNamespace(**{"None": 0, "Lax": 1, "Strict": 2, "ExplicitNone": 3})

    name: str
    value: str
    domain: Value | None = None
    path: Value | None = None
    expires: Value | None = None
    secure: Value | None = None
    http_only: Value | None = None
    same_site: int = 0
    max_age: Value | None = None


@dataclass(frozen=True, slots=True)
class RpcHttp:
    """A request on its way in, or a response on its way out."""

    method: str = ""
    url: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: TypedData | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    status_code: str = ""
    cookies: list[RpcHttpCookie] | None = None
    enable_content_negotiation: bool = False


@dataclass(frozen=True, slots=True)
class RpcException:
    """What went wrong in the app."""

    message: str = ""
    stack_trace: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class StatusResult:
    """Whether a request to the worker succeeded."""

    Failure: ClassVar[int] = 0
    Success: ClassVar[int] = 1

    status: int
    exception: RpcException | None = None


@dataclass(frozen=True, slots=True)
class BindingInfo:
    """A binding as the worker announces it. The numbers are those of FunctionRpc.proto."""

    out: ClassVar[int] = 1
    inout: ClassVar[int] = 2
    undefined: ClassVar[int] = 0

    type: str
    data_type: int | None = None
    direction: int = 0


@dataclass(frozen=True, slots=True)
class RpcRetryOptions:
    """A retry policy; this host does not apply it."""

    max_retry_count: int
    retry_strategy: str
    delay_interval: Any = None
    minimum_interval: Any = None
    maximum_interval: Any = None


@dataclass(frozen=True, slots=True)
class RpcFunctionMetadata:
    """A function as the worker announces it; `raw_bindings` are JSON documents like those of a function.json."""

    name: str
    function_id: str
    raw_bindings: list[str]
    bindings: Mapping[str, BindingInfo]
    properties: Mapping[str, str]
    managed_dependency_enabled: bool = False
    directory: str = ""
    script_file: str = ""
    entry_point: str = ""
    is_proxy: bool = False
    language: str = ""
    retry_options: RpcRetryOptions | None = None


@dataclass(frozen=True, slots=True)
class WorkerMetadata:
    """Who the worker is."""

    runtime_name: str
    runtime_version: str
    worker_version: str
    worker_bitness: str
    custom_properties: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class WorkerInitResponse:
    """The answer to the request that indexes the app."""

    capabilities: Mapping[str, str]
    worker_metadata: WorkerMetadata
    result: StatusResult


@dataclass(frozen=True, slots=True)
class FunctionMetadataResponse:
    """The functions of the app; None when the directory has no function_app.py."""

    use_default_metadata_indexing: bool
    function_metadata_results: list[RpcFunctionMetadata] | None
    result: StatusResult


@dataclass(frozen=True, slots=True)
class FunctionLoadResponse:
    """The answer to the request that loads a function."""

    function_id: str
    result: StatusResult


@dataclass(frozen=True, slots=True)
class InvocationResponse:
    """What came of an invocation."""

    invocation_id: str
    result: StatusResult
    return_value: TypedData | None = None
    output_data: list[ParameterBinding] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class WorkerInitRequest:
    """Index the app in this directory."""

    function_app_directory: str
    capabilities: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FunctionLoadRequest:
    """Load this function."""

    function_id: str


@dataclass(frozen=True, slots=True)
class RpcTraceContext:
    """W3C trace context; we have none."""

    trace_parent: str = ""
    trace_state: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RetryContext:
    """Which retry this is; always the first try here."""

    retry_count: int = 0
    max_retry_count: int = 0
    exception: RpcException | None = None


@dataclass(frozen=True, slots=True)
class InvocationRequest:
    """Run this function with these inputs."""

    invocation_id: str
    function_id: str
    input_data: list[ParameterBinding]
    trigger_metadata: Mapping[str, TypedData]
    trace_context: RpcTraceContext = field(default_factory=RpcTraceContext)
    retry_context: RetryContext = field(default_factory=RetryContext)


@dataclass(frozen=True, slots=True)
class StreamingMessage:
    """The envelope of every request; one field is set."""

    worker_init_request: WorkerInitRequest | None = None
    function_load_request: FunctionLoadRequest | None = None
    invocation_request: InvocationRequest | None = None


@dataclass(frozen=True, slots=True)
class WorkerRequest:
    """A request as the worker library takes it: the envelope, and where it finds these classes."""

    request: StreamingMessage
    properties: Mapping[str, Any]
