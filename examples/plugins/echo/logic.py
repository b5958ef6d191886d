"""Echo: every frame comes back as it was sent."""

from nekonex.connect.context import Context


class Logic:
    """One object serves all connections."""

    def recv(self, ctx: Context) -> None:
        """Send the frame back, with its op code."""
        ctx.send(ctx.data, ctx.op)
