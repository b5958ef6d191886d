"""What the parts of the data store's server have in common."""

from __future__ import annotations

from nekonex import rmc
from nekonex.domain import PlayerRegistry
from nekonex.domain.datastore.callers import Caller
from nekonex.domain.datastore.service import DataStore as Service
from nekonex.nex.callers import caller_pid
from nekonex.nex.datastore.errors import error_of
from nekonex.rmc import Session

__all__ = ["DataStoreServant", "PostingClient"]


class PostingClient:
    """Who posts an object, as the callbacks for keys are given it.

    Written as those of nex_protocols_common_py are, they ask it as one of NintendoClients' clients.
    """

    def __init__(self, session: Session, pid: int) -> None:
        self.session = session
        self._pid = pid

    def pid(self) -> int:
        """Return the principal id."""
        return self._pid

    def remote_address(self) -> tuple[str, int]:
        """Return host and port that the console's datagrams come from."""
        return self.session.remote_address


class DataStoreServant(rmc.Protocol):
    """Base of the parts, before the class of the protocol.

    What the rules refuse is raised as it is, a DataStoreError, and answered with its code.
    """

    def __init__(self, datastore: Service, players: PlayerRegistry | None = None) -> None:
        self.datastore = datastore
        self._players = players

    def caller_of(self, client: Session) -> Caller:
        """Return who asks; RMCError("RendezVous::NotAuthenticated") for who is not known."""
        pid = caller_pid(client, self._players)
        posting = PostingClient(client, pid)
        return Caller(pid=pid, client=posting, address=client.remote_address[0])

    def error_of(self, error: Exception) -> Exception:
        """Return what a caller is answered: for a refusal of the domain, its code."""
        return error_of(error)
