"""NekoConnect: one socket, behind which anyone plugs a small service.

    async with Client("127.0.0.1", 10390, password="…") as client:
        await client.send("echo", 1, b"hello")
        print((await client.recv()).data)

The document of the system calls a plugin's name on the wire its greeter. `nekonex.connect.protocol`
has the frames and both ends of a connection without sockets, `nekonex.connect.server` the server,
`nekonex.connect.context` what authors of plugins import.
"""
