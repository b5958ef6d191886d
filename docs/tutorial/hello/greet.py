import os

from nekonex.connect import SyncClient

with SyncClient("127.0.0.1", password=os.environ["NEKONEX_CONNECT__PASSWORD"]) as client:
    print(client.request("hello", 1, b"a program").data.decode())
