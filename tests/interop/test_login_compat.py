"""The servers with the names and arguments of nex_protocols_common_py, behind `compat.serve`."""

from __future__ import annotations

import contextlib
import datetime as dt
import threading
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from nintendo.nex import authentication, backend, common, datastore, rmc, secure, settings

from nekonex import compat
from nekonex.compat import (
    AuthenticationUser,
    CommonAuthenticationServer,
    CommonSecureConnectionServer,
    secure_key,
)
from nekonex.compat.collections import ReportCollection

SECURE_SERVER = AuthenticationUser(2, "Quazal Rendez-Vous", "EPIC_SECURE_AUTH_PASS")
GUEST = AuthenticationUser(100, "guest", "MMQea3n!fsik")


def game() -> Any:
    result = settings.default()
    result.configure("25dbf96a", 30504)
    result["prudp.resend_timeout"] = 1.5
    result["prudp.resend_limit"] = 3
    result["prudp.version"] = 1
    result["prudp.max_substream_id"] = 1
    # Saves the tests 20 ms of work for each key.
    result["kerberos.key_derivation"] = 1
    return result


def get_nex_password(pid: int) -> str | None:
    assert threading.current_thread() is not threading.main_thread()
    if pid == 1003:
        raise ConnectionError("the account server is away")
    return {1000: "a password", 1001: "another"}.get(pid)


def auth_callback(user: AuthenticationUser) -> Any:
    if user.pid == 1001:
        return common.Result.error("Authentication::UnderMaintenance")
    return common.Result.success()


class Documents:
    """As much of a pymongo collection as is needed; it blocks, so it must not run on the loop."""

    def __init__(self) -> None:
        self.documents: list[dict[str, Any]] = []
        self.fail = False

    def _check(self) -> None:
        assert threading.current_thread() is not threading.main_thread()
        if self.fail:
            raise ConnectionError("no database")

    def _find(self, query: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [each for each in self.documents if query.items() <= each.items()]

    def update_one(
        self, query: Mapping[str, Any], update: Mapping[str, Any], *, upsert: bool = False
    ) -> None:
        self._check()
        found = self._find(query)
        if not found and upsert:
            found = [dict(query)]
            self.documents += found
        found[0].update(update["$set"])

    def insert_one(self, document: dict[str, Any]) -> None:
        self._check()
        self.documents.append(document)

    def delete_one(self, query: Mapping[str, Any]) -> None:
        self._check()
        for each in self._find(query)[:1]:
            self.documents.remove(each)

    def count_documents(self, query: Mapping[str, Any]) -> int:
        self._check()
        return len(self._find(query))

    def find_one_and_delete(self, query: Mapping[str, Any], *, sort: Any) -> None:
        self._check()
        ((field, _),) = sort
        self.documents.remove(min(self._find(query), key=lambda each: each[field]))


@contextlib.asynccontextmanager
async def served(*more: Any, **arguments: Any) -> AsyncIterator[tuple[Any, tuple[str, int]]]:
    """Serve both servers as the document says; the values are settings and address."""
    own = game()
    secure_server = CommonSecureConnectionServer(own, **arguments)
    key = secure_key(SECURE_SERVER, own)
    async with compat.serve(own, [secure_server, *more], "127.0.0.1", key=key) as second:
        authentication_server = CommonAuthenticationServer(
            own,
            secure_host="127.0.0.1",
            secure_port=second.address[1],
            build_string="Example-BUILD-string-22cef",
            special_users=[SECURE_SERVER, GUEST],
            get_nex_password_func=get_nex_password,
            auth_callback=auth_callback,
        )
        async with compat.serve(own, [authentication_server], "127.0.0.1") as first:
            yield own, first.address


@contextlib.asynccontextmanager
async def console(
    own: Any, address: tuple[str, int], name: str = "1000", password: str = "a password"
) -> AsyncIterator[Any]:
    async with (
        backend.connect(own, *address) as client,
        client.login(name, password) as session,
    ):
        yield session


def url(port: int = 50000) -> Any:
    return common.StationURL(address="192.168.0.10", port=port)


async def test_the_example_of_the_document() -> None:
    async with served() as (own, address):
        async with console(own, address) as session:
            reply = await secure.SecureConnectionClient(session).register([url()])
            assert reply.result.is_success()
            assert reply.public_station["PID"] == 1000
        async with console(own, address, "guest", GUEST.password) as session:
            assert session.pid() == 100


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("1001", "Authentication::UnderMaintenance"),
        ("1002", "RendezVous::InvalidUsername"),
        ("1003", "Core::SystemError"),
        ("2", "RendezVous::InvalidUsername"),
    ],
)
async def test_refusals(name: str, error: str) -> None:
    async with served() as (own, address), backend.connect(own, *address) as client:
        with pytest.raises(common.RMCError, match=error):
            async with client.login(name, "x"):
                pass


async def test_the_old_derivation_in_a_worker_process() -> None:
    own = game()
    own["kerberos.key_derivation"] = 0
    server = CommonAuthenticationServer(
        own, "127.0.0.1", 1, "build", [SECURE_SERVER], get_nex_password
    )
    for _ in range(2):
        # A server may be served again after its end.
        async with (
            compat.serve(own, [server], "127.0.0.1") as service,
            rmc.connect(own, *service.address) as client,
        ):
            reply = await authentication.AuthenticationClient(client).login("1000")
            reply.result.raise_if_error()
            assert reply.server_name == "build"


async def test_beside_a_server_written_for_that_library() -> None:
    class Objects(datastore.DataStoreServer):  # type: ignore[misc]
        async def delete_object(self, client: Any, param: Any) -> None:
            raise common.RMCError("DataStore::NotFound")

    async with served(Objects()) as (own, address), console(own, address) as session:
        param = datastore.DataStoreDeleteParam()
        param.data_id = 1
        param.update_password = 0
        with pytest.raises(common.RMCError, match="DataStore::NotFound"):
            await datastore.DataStoreClient(session).delete_object(param)
        await secure.SecureConnectionClient(session).test_connectivity()


async def test_sessions_are_written_down() -> None:
    sessions = Documents()
    async with served(sessions_db=sessions) as (own, address), console(own, address) as session:
        stub = secure.SecureConnectionClient(session)
        reply = await stub.register([url()])
        (document,) = sessions.documents
        server = document.pop("server")
        public = reply.public_station
        assert document == {
            "pid": 1000,
            "cid": reply.connection_id,
            "ip": "127.0.0.1",
            "port": public["port"],
            "urls": [
                f"prudp:/address=192.168.0.10;port=50000;PID=1000;RVCID={reply.connection_id}",
                str(public),
            ],
        }
        document["server"] = server
        await stub.replace_url(url(), url(50001))
        assert "port=50001" in sessions.documents[0]["urls"][0]
        await stub.update_urls([url(50002)])
        assert "port=50002" in sessions.documents[0]["urls"][0]
        assert len(sessions.documents) == 1
    assert sessions.documents == []


async def test_a_database_that_is_away_harms_no_player(caplog: pytest.LogCaptureFixture) -> None:
    documents = Documents()
    documents.fail = True
    async with (
        served(sessions_db=documents, reportdata_db=documents) as (own, address),
        console(own, address) as session,
    ):
        stub = secure.SecureConnectionClient(session)
        assert (await stub.register([url()])).result.is_success()
        await stub.send_report(1, b"report")
    assert "the collection of sessions failed" in caplog.text
    assert "the collection of reports failed" in caplog.text


async def test_reports_are_written_down() -> None:
    reports = Documents()
    async with (
        served(reportdata_db=reports) as (own, address),
        console(own, address) as session,
    ):
        await secure.SecureConnectionClient(session).send_report(7, b"report")
    (report,) = reports.documents
    assert dt.datetime.now(dt.UTC) - report.pop("report_date") < dt.timedelta(minutes=1)
    assert report == {
        "pid": 1000,
        "report_id": 7,
        "report_data": b"report",
        "report_size": 6,
    }


async def test_reports_have_limits() -> None:
    documents = Documents()
    reports = ReportCollection(documents, size_limit=10, quota=2)
    assert not await reports.submit(1000, 1, bytes(11))
    for number in range(3):
        assert await reports.submit(1000, number, bytes(10), game="mk8")
    assert await reports.submit(1001, 9, b"")
    assert [(each["pid"], each["report_id"]) for each in documents.documents] == [
        (1000, 1),
        (1000, 2),
        (1001, 9),
    ]


def test_the_secure_server_must_be_a_special_user() -> None:
    with pytest.raises(ValueError, match="PID 2"):
        CommonAuthenticationServer(game(), "127.0.0.1", 1, "b", [GUEST], get_nex_password)
