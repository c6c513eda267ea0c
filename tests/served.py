"""The functions of an app, as the Functions host would call them."""

from collections.abc import Callable
from typing import Any

import azure.functions as func

from handlers import triggers


def functions(app: Any) -> dict[str, Callable[..., Any]]:
    """Give the functions of an app, by their names."""
    served = func.FunctionApp()
    served.register_functions(triggers.blueprint(app))
    found: list[Any] = served.get_functions()
    return {each.get_function_name(): each.get_user_function() for each in found}
