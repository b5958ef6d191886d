"""Memory: remembers a word, and knows the best score of a game."""

from nekonex.connect.context import AsyncApp, AsyncContext

REMEMBER, RECALL, RECORD = 1, 2, 3


class Logic:
    async def start(self, app: AsyncApp) -> None:
        self._app = app

    async def recv(self, ctx: AsyncContext) -> None:
        if ctx.op == REMEMBER:
            await ctx.db_store("word", ctx.data.decode())
            ctx.log("a word to remember")
        elif ctx.op == RECALL:
            await ctx.send((await ctx.db_get("word")).encode())
        elif ctx.op == RECORD:
            best = await self._app.top_scores("my-game", 1, 1)
            await ctx.send(str(best[0].score).encode() if best else b"")
