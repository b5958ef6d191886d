"""The form of log lines."""

from __future__ import annotations

import io
import json
import logging
import threading
import warnings

import pytest

from nekonex.logs import configure_logging

pytestmark = pytest.mark.usefixtures("restored_logging")


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


logger = logging.getLogger("nekonex.some.where")


def log_an_exception() -> None:
    logger.error("it broke", exc_info=ZeroDivisionError("division by zero"))


def test_text_is_a_line_with_its_values() -> None:
    stream = io.StringIO()
    configure_logging("info", "text", stream)
    logger.debug("too fine")
    logger.info("player logged in", extra={"pid": 7, "address": "[::1]:80", "user": "a b=c"})
    (line,) = stream.getvalue().splitlines()
    time, rest = line[:19], line[20:]
    assert time[4] == time[7] == "-"
    assert rest == 'info    player logged in pid=7 address=[::1]:80 user="a b=c"'


def test_some_may_log_in_full() -> None:
    stream = io.StringIO()
    own = logging.getLogger("nekonex.some")
    level = own.level
    configure_logging("warning", "text", stream, in_full=["nekonex.some"])
    try:
        logger.debug("fine")
        logging.getLogger("nekonex.elsewhere").info("too fine")
    finally:
        own.setLevel(level)
    (line,) = stream.getvalue().splitlines()
    assert line.endswith("debug   fine")


@pytest.mark.parametrize("evil", ["a\nb", "a\rb", "\x1b[2J", "a\u2028b", 'x" level=error y="'])
def test_no_value_can_forge_a_line(evil: str) -> None:
    stream = io.StringIO()
    configure_logging("info", "text", stream)
    logger.warning("refused %s", evil, extra={"user": evil})
    (line,) = stream.getvalue().splitlines()
    assert line.isprintable()
    assert line.endswith(f"user={json.dumps(evil)}")


def test_a_traceback_follows_its_line() -> None:
    stream = io.StringIO()
    configure_logging("info", "text", stream)
    log_an_exception()
    lines = stream.getvalue().splitlines()
    assert lines[0].endswith("error   it broke")
    assert lines[-1] == "    ZeroDivisionError: division by zero"


@pytest.mark.parametrize("evil", ["a\n2026-11-21 info forged", "a\rb", "\x1b[2J", "a\u2028b"])
def test_no_exception_can_forge_a_line(evil: str) -> None:
    stream = io.StringIO()
    configure_logging("info", "text", stream)
    logger.error("it broke", exc_info=ValueError(evil))
    first, *rest = stream.getvalue().splitlines()
    assert first.endswith("error   it broke")
    assert rest
    assert all(line.startswith("    ") and line.isprintable() for line in rest)


def test_a_stack_is_shown_line_by_line() -> None:
    stream = io.StringIO()
    configure_logging("info", "text", stream)
    logger.error("it is stuck", extra={"stack": 'File "a.py", line 1\n  sleep()', "pid": 7})
    first, *rest = stream.getvalue().splitlines()
    assert first.endswith("error   it is stuck pid=7")
    assert rest == ['    File "a.py", line 1', "      sleep()"]


def test_json_is_one_object_a_line() -> None:
    stream = io.StringIO()
    configure_logging("debug", "json", stream)
    logger.debug("first", extra={"pid": 7, "user": "néko\n"})
    log_an_exception()
    first, second = (json.loads(line) for line in stream.getvalue().splitlines())
    assert list(first)[:3] == ["time", "level", "event"]
    assert first["time"].endswith("Z")
    del first["time"]
    assert first == {
        "level": "debug",
        "event": "first",
        "logger": "nekonex.some.where",
        "pid": 7,
        "user": "néko\n",
    }
    assert "ZeroDivisionError" in second["exception"]


def test_a_terminal_gets_colours_and_a_file_none() -> None:
    screen, file = Screen(), io.StringIO()
    for stream in (screen, file):
        configure_logging("info", "text", stream)
        logger.error("red")
    assert "\x1b[31merror" in screen.getvalue()
    assert "\x1b" not in file.getvalue()


def test_warnings_of_python_are_logged() -> None:
    stream = io.StringIO()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        configure_logging("info", "json", stream)
        warnings.warn("old thing", UserWarning, stacklevel=1)
        logging.captureWarnings(False)
    assert "old thing" in json.loads(stream.getvalue())["event"]


def test_what_ends_a_thread_is_a_line_too(capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    configure_logging("info", "json", stream)

    def fail(error: BaseException) -> None:
        raise error

    for error in (ValueError("a\x1b[2J\nb"), SystemExit(3)):
        thread = threading.Thread(target=fail, args=(error,), name="of a plugin")
        thread.start()
        thread.join()
    (line,) = map(json.loads, stream.getvalue().splitlines())
    assert (line["event"], line["thread_name"]) == ("a thread has failed", "of a plugin")
    assert "in fail" in line["exception"]
    assert capsys.readouterr().err == ""
