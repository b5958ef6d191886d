"""hello: greets, counts, and tells the others who has come."""

import threading

from nekonex.connect.context import Context

GREET, COUNT, NEWS = 1, 2, 3


class Logic:
    def __init__(self) -> None:
        self._counting = threading.Lock()

    def recv(self, ctx: Context) -> None:
        if ctx.op == GREET:
            name = ctx.data.decode(errors="replace")
            number = self._next_number(ctx)
            ctx.log(f"number {number} comes from {ctx.address[0]}")
            ctx.send(f"Hello {name}, you are number {number}!".encode(), GREET)
            ctx.broadcast(f"{name} is here".encode(), NEWS)
        elif ctx.op == COUNT:
            ctx.send(ctx.db_get("count").encode(), COUNT)
        else:
            ctx.send(b"unknown op", 400)

    def _next_number(self, ctx: Context) -> int:
        with self._counting:
            number = int(ctx.db_get("count") or 0) + 1
            ctx.db_store("count", str(number))
        return number
