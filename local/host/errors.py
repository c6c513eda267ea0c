"""What can stop the host, and what can stop one invocation."""


class BadApp(Exception):
    """The app cannot be served. The text is for people; `detail` is the stack trace, if there is one."""

    def __init__(self, text: str, detail: str = "") -> None:
        super().__init__(text)
        self.detail = detail


class InvocationFailed(Exception):
    """An invocation failed; it has been logged already."""
