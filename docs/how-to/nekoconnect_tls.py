"""The client of docs/nekoconnect-security.md: it trusts one certificate, and no other."""

# --8<-- [start:client]
import ssl

from nekonex.connect import Client


async def greet(host: str, port: int, password: str, certificate: str) -> bytes:
    context = ssl.create_default_context(cafile=certificate)
    async with Client(host, port, password, tls=context) as client:
        return (await client.request("greetings", 1, b"neko")).data


# --8<-- [end:client]
