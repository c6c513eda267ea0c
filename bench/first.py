"""A fresh process: import, handle one first message, and print what it took as JSON.

Nothing is imported up here but what every Python has loaded anyway, so that the import that is measured is all of it.
"""

import sys
import time

_KIB = 1024


def main() -> None:
    """Measure what is named by the first argument."""
    what, begin = sys.argv[1], time.perf_counter()
    if what == "import azure.functions":
        import azure.functions  # noqa: F401, PLC0415  it is measured

        imported = time.perf_counter() - begin
    else:
        import function_app  # noqa: PLC0415  it is measured

        imported = time.perf_counter() - begin
    first = 0.0
    if not what.startswith("import"):
        from bench.messages import prepared  # noqa: PLC0415  making the message is not measured

        call = prepared(what, function_app.app)
        begin = time.perf_counter()
        call()
        first = time.perf_counter() - begin
    import json  # noqa: PLC0415  after the measuring

    # Not getrusage: on Linux that is at least what the parent held when it started this process.
    with open("/proc/self/status") as status:  # noqa: PTH123  pathlib would have to be imported
        mib = int(status.read().split("VmHWM:")[1].split()[0]) / _KIB
    print(json.dumps({"import": imported, "first": first, "mib": mib}))


if __name__ == "__main__":
    main()
