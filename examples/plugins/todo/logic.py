"""Todo: lists of things to do, one for each name, kept in the plugin's database.

The frames are described in README.md.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from enum import IntEnum

from nekonex.connect.context import Context

MAX_LISTS = 1000
MAX_ENTRIES = 200
MAX_NAME = 40
MAX_TEXT = 200

REFUSED = 400
"""Op code of an answer that says why something was not done."""


class Op(IntEnum):
    """Op codes of what clients send; the answer to each is the list as it is then."""

    OPEN = 1
    SHOW = 2
    ADD = 3
    DONE = 4
    REMOVE = 5


class RefusedError(Exception):
    """Why something was not done, in a sentence for the client."""


@dataclass
class Entry:
    """One thing to do."""

    number: int
    text: str
    done: bool = False


@dataclass
class TodoList:
    """The entries of one list, in the order in which they were added."""

    entries: list[Entry] = field(default_factory=list)
    last: int = 0
    """The highest number that was given: none is given again while the list has entries."""

    @classmethod
    def load(cls, stored: str) -> TodoList:
        """Return what `dump` made a text of; a new list for no text."""
        if not stored:
            return cls()
        known = json.loads(stored)
        return cls([Entry(**each) for each in known["entries"]], known["last"])

    def dump(self) -> str:
        """Return a text to be stored; an empty list needs no place."""
        return json.dumps(asdict(self)) if self.entries else ""

    def show(self) -> str:
        """Return a line for each entry."""
        return "\n".join(
            f"{each.number} [{'x' if each.done else ' '}] {each.text}" for each in self.entries
        )

    def add(self, text: str) -> None:
        """Put an entry at the end."""
        if len(self.entries) >= MAX_ENTRIES:
            raise RefusedError(f"a list has at most {MAX_ENTRIES} entries")
        self.last += 1
        self.entries.append(Entry(self.last, text))

    def finish(self, number: int) -> None:
        """Mark an entry as done."""
        self._entry(number).done = True

    def remove(self, number: int) -> None:
        """Take an entry off the list."""
        self.entries.remove(self._entry(number))

    def _entry(self, number: int) -> Entry:
        for each in self.entries:
            if each.number == number:
                return each
        raise RefusedError(f"there is no entry {number}")


class Logic:
    """Serves all clients at the same time, each frame in a thread of the plugin's pool."""

    def __init__(self) -> None:
        # To read a list, change it and store it takes three steps. Without a lock, another
        # client's change of the same list could come in between, and would be lost.
        self._changing = threading.Lock()

    def recv(self, ctx: Context) -> None:
        """Do what a frame asks for, and answer with the list."""
        try:
            answer = self._answer(ctx)
        except RefusedError as refusal:
            ctx.send(str(refusal).encode(), REFUSED)
        else:
            ctx.send(answer.encode(), ctx.op)

    def _answer(self, ctx: Context) -> str:
        text = _text_of(ctx.data)
        if ctx.op == Op.OPEN:
            ctx.state["list"] = _limited(text, "the name of a list", MAX_NAME)
            return self._show(ctx)
        if "list" not in ctx.state:
            raise RefusedError(f"open a list first: op {Op.OPEN:d} with its name")
        if ctx.op == Op.SHOW:
            return self._show(ctx)
        if ctx.op == Op.ADD:
            entry = _limited(text, "an entry", MAX_TEXT)
            return self._change(ctx, lambda todo: todo.add(entry))
        if ctx.op == Op.DONE:
            number = _number(text)
            return self._change(ctx, lambda todo: todo.finish(number))
        if ctx.op == Op.REMOVE:
            number = _number(text)
            return self._change(ctx, lambda todo: todo.remove(number))
        raise RefusedError(f"there is no op {ctx.op}")

    def _show(self, ctx: Context) -> str:
        return TodoList.load(ctx.db_get(_cell(ctx))).show()

    def _change(self, ctx: Context, change: Callable[[TodoList], None]) -> str:
        """Change a list, and return it as it is then; it is on the disk by that time."""
        cell = _cell(ctx)
        with self._changing:
            stored = ctx.db_get(cell)
            todo = TodoList.load(stored)
            change(todo)
            if not stored and len(ctx.db_cells("list/")) >= MAX_LISTS:
                raise RefusedError(f"there are {MAX_LISTS} lists already")
            if not ctx.db_store(cell, todo.dump()):
                raise RefusedError("the list could not be stored")
        return todo.show()


def _cell(ctx: Context) -> str:
    return f"list/{ctx.state['list']}"


def _text_of(data: bytes) -> str:
    """Return a text on one line, with single spaces."""
    try:
        text = " ".join(data.decode().split())
    except UnicodeDecodeError:
        raise RefusedError("texts are UTF-8") from None
    if any(character < " " or "\x7f" <= character <= "\x9f" for character in text):
        raise RefusedError("texts have no control characters")
    return text


def _limited(text: str, what: str, most: int) -> str:
    if not 1 <= len(text) <= most:
        raise RefusedError(f"{what} has 1 to {most} characters")
    return text


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise RefusedError("which entry? Send its number")
    return int(text)
