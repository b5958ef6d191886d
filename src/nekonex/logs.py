"""Structured logs, as text for people or as JSON for programs, one event a line.

Everything in the package logs through the standard library, with its values in ``extra``, so a
program that uses the package as a library keeps its own logging. `configure_logging` is for the
program `nekonex`.
"""

import json
import logging
import re
import sys
import threading
from collections.abc import Iterable
from typing import Any, Final, Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

__all__ = ["LEVELS", "LogFormat", "configure_logging"]

_logger = logging.getLogger(__name__)

LogFormat = Literal["text", "json"]

LEVELS: Final = ("debug", "info", "warning", "error")

_PLAIN: Final = re.compile(r"[^\s\"'=\\\x00-\x1f\x7f-\x9f]+")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

_COLOURS: Final = {
    "debug": "\x1b[2m", "info": "\x1b[32m", "warning": "\x1b[33m", "error": "\x1b[31m",
    "critical": "\x1b[31;1m",
}  # fmt: skip
_RESET: Final = "\x1b[0m"


def configure_logging(
    level: str = "info",
    style: LogFormat = "text",
    stream: TextIO | None = None,
    *,
    in_full: Iterable[str] = (),
) -> None:
    """Send the logs of the whole process to *stream* (standard error), from *level* on.

    The loggers named by *in_full*, and those below them, log everything. Replaces what was
    configured before. Warnings of Python become log lines too, and what ends a thread.
    """
    stream = sys.stderr if stream is None else stream
    render: Processor = _render_json if style == "json" else _TextRenderer(stream.isatty())
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            render,
        ],
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    logging.captureWarnings(True)
    threading.excepthook = _log_end_of_thread
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in in_full:
        logging.getLogger(name).setLevel(logging.DEBUG)


def _log_end_of_thread(end: threading.ExceptHookArgs) -> None:
    """Log what a thread has raised, which Python would write over the lines of the log."""
    if end.exc_value is None or issubclass(end.exc_type, SystemExit):
        return
    thread = "" if end.thread is None else end.thread.name
    _logger.error("a thread has failed", extra={"thread_name": thread}, exc_info=end.exc_value)


def _render_json(_logger: WrappedLogger, _name: str, event: EventDict) -> str:
    first = {
        "time": event.pop("timestamp"),
        "level": event.pop("level"),
        "event": event.pop("event"),
    }
    return json.dumps({**first, **event}, ensure_ascii=False, default=str)


class _TextRenderer:
    """Writes ``time level event key=value …``; tracebacks and stacks follow, indented.

    The text of an exception may be a stranger's: it can neither pass for another line of the log
    nor be obeyed by a terminal.
    """

    def __init__(self, coloured: bool) -> None:
        self._coloured = coloured

    def __call__(self, _logger: WrappedLogger, _name: str, event: EventDict) -> str:
        time = str(event.pop("timestamp"))[:19].replace("T", " ")
        level = str(event.pop("level"))
        text = _CONTROL.sub(_escape, str(event.pop("event")))
        traces = [event.pop(key) for key in ("stack", "exception") if event.get(key)]
        event.pop("logger", None)
        label = f"{level:<7}"
        if self._coloured:
            label = f"{_COLOURS.get(level, '')}{label}{_RESET}"
        pairs = "".join(f" {key}={_value(value)}" for key, value in event.items())
        line = f"{time} {label} {text}{pairs}"
        return "\n".join([line, *(_indented(str(trace)) for trace in traces)])


def _indented(trace: str) -> str:
    return "\n".join(f"    {_CONTROL.sub(_escape, line)}" for line in trace.split("\n"))


def _value(value: Any) -> str:
    """Return a value so that it cannot be taken for more than one, or for another line."""
    text = str(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=True)


def _escape(match: re.Match[str]) -> str:
    return json.dumps(match[0])[1:-1]
