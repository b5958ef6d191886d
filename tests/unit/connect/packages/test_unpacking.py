"""Reading packages that anybody may have made."""

from __future__ import annotations

import contextlib
import io
import os
import stat
import time
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nekonex.connect.packages import (
    BadSpecError,
    BrokenPackageError,
    CompressionError,
    EncryptedPackageError,
    InstallError,
    LogicError,
    MissingLogicError,
    MissingSpecError,
    NotPlainFileError,
    PackageError,
    PackageLimits,
    PackageTooLargeError,
    TooManyFilesError,
    UnsafePathError,
    read_package,
    read_package_file,
)
from tests.support.plugin_packages import (
    LOGIC,
    package_bytes,
    patched,
    spec_text,
    zip_of,
)

LOCAL = b"PK\x03\x04"
CENTRAL = b"PK\x01\x02"
END = b"PK\x05\x06"
SOUND: dict[str, bytes | str] = {"spec.conf": spec_text(), "logic.py": LOGIC}
FEW = PackageLimits(max_files=5, max_unpacked=10_000, max_directory=2000)


def refused(
    content: bytes, error: type[PackageError], match: str, limits: PackageLimits | None = None
) -> None:
    with pytest.raises(error, match=match) as caught:
        read_package(content, "bad.ncp", *([limits] if limits else []))
    text = str(caught.value)
    assert type(caught.value) is error
    assert text.startswith("bad.ncp")
    assert text.isprintable()


def entry(name: str, mode: int) -> zipfile.ZipInfo:
    made = zipfile.ZipInfo(name)
    made.create_system = 3
    made.external_attr = mode << 16
    return made


# -- what is taken ----------------------------------------------------------------------------


def test_a_sound_package() -> None:
    read = read_package(package_bytes({"assets/a.bin": b"\0\1"}), "chat.ncp")
    assert read.spec.greeter == "chat"
    assert read.files == {
        "spec.conf": spec_text().encode(),
        "logic.py": LOGIC.encode(),
        "assets/a.bin": b"\0\1",
    }


def test_one_of_the_original_tool(tmp_path: Path) -> None:
    """Stored, with prose before the directives, and modes that tell no kind of file."""
    spec = f"SPEC:\n~~~~~\nthe spec of a chat, $5 please\n $greet {{nothing}}\n\n{spec_text()}"
    file = tmp_path / "chat-1.0.ncp"
    with zipfile.ZipFile(file, mode="w") as archive:
        archive.writestr("spec.conf", spec)
        archive.writestr("logic.py", LOGIC)
    read = read_package_file(file)
    assert (read.spec.name, read.spec.greeter, read.spec.version) == ("Chat", "chat", "1.0")
    assert set(read.files) == {"spec.conf", "logic.py"}


def test_a_byte_order_mark_and_windows_lines() -> None:
    spec = b"\xef\xbb\xbf" + spec_text().replace("\n", "\r\n").encode()
    assert read_package(zip_of({**SOUND, "spec.conf": spec}), "x").spec.greeter == "chat"


def test_all_in_one_folder_as_others_pack_it() -> None:
    read = read_package(
        zip_of(
            [
                ("chat-main/", b""),
                ("chat-main/spec.conf", spec_text()),
                ("chat-main/logic.py", LOGIC),
                ("chat-main/lib/x.py", ""),
                ("__MACOSX/chat-main/._spec.conf", b"\0"),
            ]
        ),
        "x",
    )
    assert set(read.files) == {"spec.conf", "logic.py", "lib/x.py"}


def test_a_top_folder_stays_where_the_spec_is_beside_it() -> None:
    read = read_package(zip_of({**SOUND, "lib/spec.conf": "other"}), "x")
    assert set(read.files) == {"spec.conf", "logic.py", "lib/spec.conf"}


def test_hidden_files_and_compiled_code_are_left_out() -> None:
    extra = {".git/config": "x", "a/.env": "x", "__pycache__/logic.pyc": "x", "a/b": "x"}
    read = read_package(zip_of({**SOUND, **extra}), "x")
    assert set(read.files) == {"spec.conf", "logic.py", "a/b"}


def test_folders_and_a_comment_are_fine() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.comment = b"hello"
        archive.writestr(entry("lib/", stat.S_IFDIR | 0o755), b"")
        for name, content in SOUND.items():
            archive.writestr(entry(name, stat.S_IFREG | 0o4755), content)
    assert set(read_package(buffer.getvalue(), "x").files) == set(SOUND)


# -- paths ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        *("/etc/passwd", "../evil.py", "a/../../evil.py", "lib/..", "..", "C:/evil.py", "c:evil"),
        *("a\\..\\evil.py", "\\\\host\\share", "nul", "lib/aux.py", "a\nb", "a//b", "./a"),
        *("evil.py ", "evil.", "a:b", "x" * 300, "d/" * 20 + "x", "../", "/", "a\\/"),
    ],
)
def test_paths_that_are_not_good_everywhere(path: str) -> None:
    refused(zip_of([*SOUND.items(), (path, b"evil")]), UnsafePathError, "cannot be in a package")


def test_a_name_that_goes_on_behind_a_zero_byte() -> None:
    content = zip_of([*SOUND.items(), ("goodXname", b"evil")])
    refused(content.replace(b"goodXname", b"good\0name"), UnsafePathError, "control characters")


def test_a_name_that_an_extra_field_replaces() -> None:
    """Newer versions of Python take the name from the field; none may get past."""
    name = b"../../evil.py"
    made = zipfile.ZipInfo("logic2.py")
    field = b"\1" + zlib.crc32(b"logic2.py").to_bytes(4, "little") + name
    made.extra = b"\x75\x70" + len(field).to_bytes(2, "little") + field
    content = zip_of([*SOUND.items(), (made, b"x")])
    assert set(read_package(content, "x").files) == {*SOUND, "logic2.py"}


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        ("a.txt", "A.TXT", "where case does not count"),
        ("lib/a", "Lib/b", "where case does not count"),
        ("a", "a", "twice"),
        ("a", "a/b", "both a file and a folder"),
        ("LOGIC.py", "x", "where case does not count"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_files_that_would_replace_each_other(first: str, second: str, reason: str) -> None:
    refused(zip_of([*SOUND.items(), (first, b"1"), (second, b"2")]), UnsafePathError, reason)


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        (stat.S_IFLNK, "a link"),
        (stat.S_IFIFO, "no plain file"),
        (stat.S_IFCHR, "no plain file"),
        (stat.S_IFSOCK, "no plain file"),
        (stat.S_IFDIR, "no plain file"),
    ],
)
def test_links_and_special_files(kind: int, what: str) -> None:
    content = zip_of([*SOUND.items(), (entry("data", kind | 0o777), b"/etc/passwd")])
    refused(content, NotPlainFileError, f"'data' is {what}")


def test_a_link_that_calls_itself_a_folder() -> None:
    content = zip_of([*SOUND.items(), (entry("data/", stat.S_IFLNK | 0o777), b"/etc")])
    refused(content, NotPlainFileError, "'data/' is a link")


# -- sizes ------------------------------------------------------------------------------------


def test_a_bomb_is_refused_soon() -> None:
    content = zip_of({**SOUND, "zeros": bytes(64 << 20)})
    assert len(content) < 100_000
    started = time.process_time()
    refused(content, PackageTooLargeError, "unpacks to more than 16777216 bytes")
    assert time.process_time() - started < 2.0


def test_a_bomb_that_understates_its_size() -> None:
    content = zip_of({**SOUND, "zeros": bytes(1 << 20)})
    for signature, offset in ((LOCAL, 22), (CENTRAL, 24)):
        content = patched(content, signature, offset, "<I", 10)
    refused(content, BrokenPackageError, "damaged")


def test_as_much_as_is_allowed_and_no_byte_more() -> None:
    used = sum(len(each) for each in SOUND.values())
    exact = PackageLimits(max_unpacked=used + 100)
    assert len(read_package(zip_of({**SOUND, "x": bytes(100)}), "x", exact).files) == 3
    refused(zip_of({**SOUND, "x": bytes(101)}), PackageTooLargeError, "unpacks to more", exact)


def test_too_many_files() -> None:
    fitting = {**SOUND, **{f"f{number}": b"" for number in range(3)}}
    assert len(read_package(zip_of(fitting), "x", FEW).files) == 5
    refused(zip_of({**fitting, "f3": b""}), TooManyFilesError, "more than 5 files", FEW)


def test_a_table_of_contents_that_is_too_long_is_not_even_read() -> None:
    content = zip_of({**SOUND, **{f"folder{number}/": b"" for number in range(40)}})
    refused(content, TooManyFilesError, "table of contents has more than 2000 bytes", FEW)


def test_a_package_that_is_too_large_as_it_is(tmp_path: Path) -> None:
    limits = PackageLimits(max_package=1000)
    refused(bytes(1001), PackageTooLargeError, "more than 1000 bytes", limits)
    file = tmp_path / "large.ncp"
    file.write_bytes(bytes(5000))
    with pytest.raises(PackageTooLargeError, match=r"large\.ncp is refused"):
        read_package_file(file, limits)


# -- other damage -----------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x05\x06", END + bytes(17), bytes(100_000)])
def test_no_zip_file(content: bytes) -> None:
    refused(content, BrokenPackageError, "is no package, or a damaged one")


def test_an_empty_one() -> None:
    refused(END + bytes(18), MissingSpecError, "no spec.conf")


def test_damaged_contents() -> None:
    content = zip_of(SOUND, zipfile.ZIP_STORED).replace(b"ctx.send", b"ctx.sand")
    refused(content, BrokenPackageError, "CRC")


def test_half_of_a_package() -> None:
    content = package_bytes()
    refused(content[: len(content) // 2], BrokenPackageError, "no package")


def test_encrypted_files() -> None:
    content = package_bytes()
    for signature, offset in ((LOCAL, 6), (CENTRAL, 8)):
        content = patched(content, signature, offset, "<H", 1)
    refused(content, EncryptedPackageError, "is encrypted")


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compression(compression: int) -> None:
    refused(zip_of(SOUND, compression), CompressionError, "something else than deflate")


def test_an_unknown_compression() -> None:
    content = package_bytes()
    for signature, offset in ((LOCAL, 8), (CENTRAL, 10)):
        content = patched(content, signature, offset, "<H", 99)
    refused(content, CompressionError, "something else than deflate")


def test_a_version_of_the_format_from_the_future() -> None:
    refused(patched(package_bytes(), CENTRAL, 6, "<H", 99), BrokenPackageError, "zip file version")


def test_names_that_differ_between_the_two_headers() -> None:
    content = package_bytes({"data-1": "x"})
    refused(content.replace(b"data-1", b"data-2", 1), BrokenPackageError, "differ")


@given(st.data())
@settings(max_examples=100)
def test_no_damage_raises_anything_else(data: st.DataObject) -> None:
    content = bytearray(package_bytes({"a/b.txt": "text" * 20}))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(len(content) // 2, len(content)))
    with contextlib.suppress(PackageError):
        assert "spec.conf" in read_package(bytes(content[:end]), "x", FEW).files


# -- what a plugin has to have ----------------------------------------------------------------


def test_without_a_spec() -> None:
    refused(zip_of({"logic.py": LOGIC}), MissingSpecError, "no spec.conf in it")
    refused(zip_of({"Spec.conf": spec_text(), "logic.py": LOGIC}), MissingSpecError, "no spec.conf")
    refused(zip_of({"a/spec.conf": spec_text(), "b/logic.py": LOGIC}), MissingSpecError, "no spec")


def test_a_spec_that_is_wrong_tells_where() -> None:
    wrong = spec_text().replace('"chat"', '"auth"')
    refused(
        zip_of({**SOUND, "spec.conf": wrong}),
        BadSpecError,
        r'^bad\.ncp/spec\.conf:2:10: greet "auth" is reserved$',
    )


def test_a_spec_that_is_no_text() -> None:
    spec = f"{spec_text()}\n".encode() + b"\xff"
    refused(zip_of({**SOUND, "spec.conf": spec}), BadSpecError, r"spec\.conf:6:1: expected UTF-8")


def test_a_spec_that_is_larger_than_any() -> None:
    spec = spec_text() + "x" * (256 * 1024)
    refused(zip_of({**SOUND, "spec.conf": spec}), BadSpecError, "more than 262144 bytes")


def test_a_greeter_that_no_folder_can_be_called_for() -> None:
    spec = spec_text(greet="/" * 100)
    refused(zip_of({**SOUND, "spec.conf": spec}), InstallError, "name of its folder longer than")


def test_without_the_logic_file() -> None:
    refused(zip_of({"spec.conf": spec_text()}), MissingLogicError, r"logic file logic\.py is not")
    other = zip_of({"spec.conf": spec_text(logic="main.py"), "main.py": LOGIC})
    assert read_package(other, "x").spec.logic == "main"


@pytest.mark.parametrize(
    ("logic", "text"),
    [
        ("def f(:\n", r"logic\.py:1:7: invalid syntax"),
        ("x = 1\n  y = 2\n", r"logic\.py:2:\d: unexpected indent"),
        ("a\0b", r"logic\.py:1:\d"),
        ("-" * 100_000 + "1", r"logic\.py:1:1: it cannot be compiled: \w"),
        ("x = " + "lambda: " * 5000 + "1", r"logic\.py:1:1: (it cannot be compiled: \w|too many)"),
        ("# coding: none-such\n", r"logic\.py:1:1: unknown encoding"),
    ],
)
def test_logic_that_is_no_python(logic: str, text: str) -> None:
    refused(package_bytes(logic=logic), LogicError, text)


def test_logic_is_not_run() -> None:
    read = read_package(package_bytes(logic="raise SystemExit('it was run')\n"), "x")
    assert read.spec.greeter == "chat"


# -- files ------------------------------------------------------------------------------------


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BrokenPackageError, match=r"x\.ncp cannot be read: No such file"):
        read_package_file(tmp_path / "x.ncp")


def test_a_folder_is_no_package(tmp_path: Path) -> None:
    with pytest.raises(NotPlainFileError, match="nekonex plugin build makes a package of it"):
        read_package_file(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names here")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.ncp")
    with pytest.raises(NotPlainFileError, match="is no plain file"):
        read_package_file(tmp_path / "x.ncp")


def test_limits_are_more_than_nothing() -> None:
    with pytest.raises(ValueError, match="max_files of packages is more than 0"):
        PackageLimits(max_files=0)
