"""What the pages about NekoConnect say is what it does."""

from __future__ import annotations

import dataclasses
import hmac
import importlib
import re
import struct
from pathlib import Path
from typing import get_args

import pytest

import nekonex
from docs._gen import limits
from docs._gen.api import api_pages
from docs._gen.nekoconnect import app_members, context_members, frame_dump, plugin_values
from nekonex.connect import ConnectLimits, ConnectStats, CutOff, Status
from nekonex.connect.context import App, AsyncApp, AsyncContext, Context
from nekonex.connect.host.host import PluginState
from nekonex.connect.packages.index import parse_index
from nekonex.connect.plugins import SPEC_FILE, SpecError, parse_spec, read_spec
from tests.support.plugin_folders import spec_sheet

DOCS = Path(__file__).parents[3] / "docs"
SOURCES = Path(nekonex.__file__).parent
LIMITS = ConnectLimits()

PASSWORD, CLIENT_RANDOM, SERVER_RANDOM = b"secret", b"ClientRandom?001", b"ServerRandom#001"
SERVER = b"nekoconnect-server"


def page(name: str) -> str:
    """Return a page, with single blanks for its line breaks."""
    return " ".join((DOCS / name).read_text(encoding="utf-8").split())


def block(name: str, language: str) -> str:
    text = (DOCS / name).read_text(encoding="utf-8")
    return text.split(f"```{language}\n")[1].split("```")[0]


def hash_(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256").hex().encode()


def frame(greeter: bytes, op: int, random: bytes, data: bytes, proof: bytes) -> bytes:
    lengths = 1, len(greeter), len(data), len(proof), len(random)
    header = struct.pack(">IBBIBB", 12 + sum(lengths), *lengths)
    return header + greeter + bytes((op,)) + random + data + proof


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (0, frame(b"auth", 200, CLIENT_RANDOM, b"\xc8", hash_(PASSWORD, CLIENT_RANDOM))),
        (
            1,
            frame(
                *(SERVER, 200, SERVER_RANDOM, b"\xc8"),
                hash_(SERVER + b"\0" + PASSWORD, CLIENT_RANDOM),
            ),
        ),
        (2, frame(b"echo", 1, b"ClientRandom?002", b"hello", hash_(PASSWORD, SERVER_RANDOM))),
        (3, frame(b"echo", 1, b"ServerRandom#002", b"hello", b"server")),
    ],
)
def test_the_dump_has_every_byte_of_a_frame_at_its_place(step: int, expected: bytes) -> None:
    lines = list(frame_dump(step))[2:-1]
    found = b""
    for line in lines:
        assert int(line[:3]) == len(found)
        found += bytes.fromhex(line[5:53])
    assert found == expected


def test_the_values_of_the_dump_are_those_of_its_bytes() -> None:
    for step in range(4):
        for line in list(frame_dump(step))[2:-1]:
            part, value = bytes.fromhex(line[5:53]), line[53:].split()[-1]
            text = value.strip('"')
            assert text.encode() == part if value != text else int(value) == int.from_bytes(part)


def test_the_page_tells_the_keys_of_the_dump() -> None:
    text = page("reference/nekoconnect.md")
    for each in (PASSWORD, CLIENT_RANDOM, SERVER_RANDOM, SERVER):
        assert f"`{each.decode()}`" in text


def test_every_status_is_on_the_page() -> None:
    rows = (DOCS / "reference/nekoconnect.md").read_text(encoding="utf-8")
    for status in Status:
        assert len(re.findall(rf"^\| {status} \| .+ \| .+ \|$", rows, re.MULTILINE)) == 1


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("reference/nekoconnect.md", f"within {LIMITS.auth_timeout:g} s"),
        ("reference/nekoconnect.md", f"{LIMITS.failed_logins} wrong passwords"),
        ("reference/nekoconnect.md", f"`max_data` is {LIMITS.max_data >> 20} MiB"),
        ("reference/nekoconnect.md", f"and {LIMITS.max_login_data >> 10} KiB until"),
        ("reference/nekoconnect.md", f"good for {LIMITS.random_seconds:g} seconds"),
        ("reference/nekoconnect.md", f"latest {LIMITS.latest_randoms} stay good"),
        ("reference/nekoconnect.md", f"At most {LIMITS.max_randoms:,} randoms"),
        ("reference/nekoconnect.md", f"`send_queue` ({LIMITS.send_queue >> 20} MiB)"),
        ("reference/nekoconnect.md", f"`send_timeout` ({LIMITS.send_timeout:g} s)"),
        ("reference/nekoconnect.md", f"last {LIMITS.remembered_seconds / 60:g} minutes"),
        ("reference/plugins.md", f"`plugin_timeout` ({LIMITS.plugin_timeout:g} s;"),
        ("reference/plugins.md", f"`threads = {LIMITS.plugin_threads}`"),
        ("reference/plugins.md", f"`max_events` ({LIMITS.max_events:,})"),
        ("reference/plugins.md", f"`cell_size` ({LIMITS.cell_size >> 20} MiB)"),
        ("reference/plugins.md", f"`database_size` ({LIMITS.database_size >> 20} MiB)"),
        ("nekoconnect-security.md", f"({LIMITS.remembered_randoms:,} of them)"),
        ("nekoconnect-security.md", f"(of {LIMITS.tracked_addresses:,} that"),
        ("nekoconnect-security.md", f"`max_connections` | {LIMITS.max_connections:,} |"),
        ("nekoconnect-security.md", f"`auth_timeout` | {LIMITS.auth_timeout:g} s |"),
        ("nekoconnect-security.md", f"`max_login_data` | {LIMITS.max_login_data >> 10} KiB |"),
        ("nekoconnect-security.md", f"`max_data` | {LIMITS.max_data >> 20} MiB |"),
        ("nekoconnect-security.md", f"{LIMITS.receive_queue >> 20} and 4 MiB |"),
        ("how-to/nekoconnect.md", f"`max_connections`, {LIMITS.max_connections:,}"),
        ("how-to/nekoconnect.md", f"`plugin_timeout`, {LIMITS.plugin_timeout:g} s"),
        ("how-to/nekoconnect.md", f"`database_size`, {LIMITS.database_size >> 20} MiB"),
    ],
)
def test_a_limit_is_told_as_it_is(name: str, told: str) -> None:
    assert told in page(name)


def spec_errors(folder: Path) -> dict[str, str]:
    """Return a sheet for each error that the page lists, by the text of the error."""
    good = spec_sheet()
    return {
        "expected a directive name after $": "$ ;",
        "expected { after $name": '$name "a";',
        'expected " to open the value of $name': "$name {a};",
        'expected " to close the value of $name before the end of the line': '$name {"a\n"};',
        "expected } after the value of $name": '$name {"a" b"};',
        "expected ; after $name {…}": '$name {"a"}\n',
        "$name is given twice (first at line 3)": f'\n\n{good}$name {{"b"}};',
        "$name is empty": '$name {""};',
        "missing $greet (required: name, greet, logic, version)": good.replace("$greet", ""),
        'greet "auth" is reserved': spec_sheet(greet="auth"),
        "greet is longer than 255 bytes": spec_sheet(greet="g" * 256),
        'logic "a/b" must be a file name without a path': spec_sheet(logic="a/b"),
        "logic file logic.py not found": good,
        "name must not contain /": spec_sheet(name="a/b"),
        "name must not contain control characters (U+0007)": spec_sheet(name="\a"),
        "version must not begin with a dot": spec_sheet(version=".1"),
        "expected UTF-8, found the byte 0xff": f"{good}\udcff",
        "has more than 262144 bytes": " " * 262_145,
        "cannot be read: No such file or directory": "",
    }


def test_the_page_has_every_error_of_a_spec_sheet(tmp_path: Path) -> None:
    text = (DOCS / "reference/plugins.md").read_text(encoding="utf-8")
    part = text.split("### Its errors")[1].split("## ")[0]
    told = re.findall(r"^\| `(.+?)` \|", part, re.MULTILINE)
    assert told == list(spec_errors(tmp_path))


def test_every_error_of_the_page_is_what_its_sheet_gives(tmp_path: Path) -> None:
    for expected, sheet in spec_errors(tmp_path).items():
        if sheet:
            (tmp_path / SPEC_FILE).write_bytes(sheet.encode(errors="surrogateescape"))
        else:
            (tmp_path / SPEC_FILE).unlink()
        with pytest.raises(SpecError) as caught:
            read_spec(tmp_path)
        assert caught.value.text == expected


def test_the_spec_sheet_of_the_page_is_good() -> None:
    spec = parse_spec(block("reference/plugins.md", "text"), SPEC_FILE)
    assert (spec.name, spec.greeter, spec.logic) == ("Greetings", "greetings", "logic")
    assert (spec.version, spec.others) == ("1.2.0", {"author": "neko"})


def test_the_index_of_the_page_is_good() -> None:
    content = block("reference/plugins.md", "json").encode()
    index = parse_index(content, "https://example.org/plugins/index.json")
    assert not index.problem
    (entry,) = index.entries
    assert entry.file == "https://example.org/plugins/greetings-1.2.0.ncp"


@pytest.mark.parametrize(
    ("rows", "stubs"),
    [
        (list(context_members()), (Context, AsyncContext)),
        (list(app_members()), (App, AsyncApp)),
    ],
)
def test_every_member_of_a_stub_is_in_its_table(rows: list[str], stubs: tuple[type, type]) -> None:
    names = {re.match(r"\| `(\w+)", row)[1] for row in rows[2:]}  # type: ignore[index]
    for stub in stubs:
        public = {name for name in dir(stub) if not name.startswith("_")}
        for base in stub.__mro__:
            public |= set(vars(base).get("__annotations__", ()))
        assert names == public
    assert all(row.rstrip(" |").rpartition("|")[2].strip() for row in rows)


def test_what_is_awaited_is_told() -> None:
    rows = {row.split("`")[1].split("(")[0]: row for row in context_members() if "`" in row}
    assert "| yes |" in rows["recv"]
    assert "| yes |" not in rows["log"]
    assert "`OnlinePlayer` | `pid: int`" in "\n".join(plugin_values())


def test_every_state_of_a_plugin_is_told() -> None:
    text = page("how-to/nekoconnect.md")
    for state in get_args(PluginState):
        assert f"| `{state}` |" in text


def test_the_log_lines_of_the_page_are_those_of_the_program() -> None:
    text = (DOCS / "how-to/nekoconnect.md").read_text(encoding="utf-8")
    part = text.split("| in the log |")[1].split("\n\n")[0]
    shown = re.findall(r"^\| `(.+?)`", part, re.MULTILINE)
    assert len(shown) == 6
    sources = "\n".join(
        path.read_text(encoding="utf-8") for path in (SOURCES / "connect").rglob("*.py")
    )
    for line in shown:
        for piece in line.split(" … "):
            assert piece in sources, line


def test_every_public_name_is_documented_somewhere() -> None:
    text = "\n".join([*api_pages(), *limits.limit_tables()]) + page("reference/plugins.md")
    elsewhere = {"ConnectStats", "CutOff"}  # as tables of what they have
    for name in set(importlib.import_module("nekonex.connect").__all__) - elsewhere:
        assert re.search(rf"`(nekonex\.connect\.(protocol\.)?)?{name}`", text), name


def test_everything_that_is_counted_has_a_meaning() -> None:
    counters = "\n".join(limits.connect_counters())
    for field in dataclasses.fields(ConnectStats):
        assert re.search(rf"^\| `{field.name}` \| \S.+ \|$", counters, re.MULTILINE)
    reasons = "\n".join(limits.connect_reasons())
    for reason in CutOff:
        assert re.search(rf"^\| `cut_off` \| `{reason}` \| \S.+ \|$", reasons, re.MULTILINE)


def test_bounds_of_the_whole_package_are_listed() -> None:
    rows = "\n".join(limits.constants())
    for name, module in (("MAX_REFUSED", "server.clients"), ("THREAD_BURST", "host.contexts")):
        assert re.search(rf"^\| `{name}` \| .+ \| connect.{module} \|$", rows, re.MULTILINE)
    assert "DEFAULT_PORT" not in rows
