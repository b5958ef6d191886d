"""Building packages of folders."""

from __future__ import annotations

import hashlib
import os
import time
import zipfile
from pathlib import Path

import pytest

from nekonex.connect.packages import (
    BadSpecError,
    BuildError,
    LogicError,
    NotPlainFileError,
    PackageLimits,
    PackageTooLargeError,
    TooManyFilesError,
    UnsafePathError,
    build_package,
    read_package_file,
)
from tests.support.plugin_packages import LOGIC, write_plugin


def built(folder: Path) -> set[str]:
    return set(read_package_file(build_package(folder)).files)


def no_leftovers(folder: Path) -> bool:
    return not list(folder.glob("build/.*"))


def test_what_is_built_can_be_installed(tmp_path: Path) -> None:
    write_plugin(tmp_path, {"helper.py": "x = 1\n", "assets/ねこ/a b.txt": "meow"}, name="My Chat")
    path = build_package(tmp_path)
    assert path == tmp_path / "build" / "my_chat-1.0.ncp"
    package = read_package_file(path)
    assert package.spec.name == "My Chat"
    assert package.files["logic.py"] == LOGIC.encode()
    assert package.files["assets/ねこ/a b.txt"] == b"meow"
    assert no_leftovers(tmp_path)


def test_the_name_of_the_package(tmp_path: Path) -> None:
    write_plugin(tmp_path, name="The Échó Plugin", version="1.0 Beta")
    assert build_package(tmp_path).name == "the_échó_plugin-1.0_beta.ncp"


def test_the_same_files_make_the_same_bytes(tmp_path: Path) -> None:
    files = {"b.txt": "b", "a/c.txt": "c", "B.md": "B"}
    sums = set()
    for number, order in enumerate((list(files), list(reversed(files)))):
        folder = write_plugin(tmp_path / f"copy{number}", {name: files[name] for name in order})
        for path in folder.rglob("*"):
            os.utime(path, (number * 1e9 + time.time() / 2,) * 2)
        (folder / "logic.py").chmod(0o700 if number else 0o644)
        for _ in range(2):
            sums.add(hashlib.sha256(build_package(folder).read_bytes()).hexdigest())
    assert len(sums) == 1


def test_entries_are_sorted_and_plain(tmp_path: Path) -> None:
    write_plugin(tmp_path, {"z": "", "a/b": "", "a.txt": ""})
    with zipfile.ZipFile(build_package(tmp_path)) as archive:
        entries = archive.infolist()
    assert [each.filename for each in entries] == ["a.txt", "a/b", "logic.py", "spec.conf", "z"]
    assert {each.external_attr >> 16 for each in entries} == {0o100644}
    assert {each.date_time for each in entries} == {(1980, 1, 1, 0, 0, 0)}


def test_what_is_left_out(tmp_path: Path) -> None:
    write_plugin(
        tmp_path,
        {
            ".gitignore": "*.log\nsecret/\n/only-top.txt\n",
            ".git/config": "",
            ".env": "",
            "lib/.cache/x": "",
            "build/old-1.0.ncp": "",
            "__pycache__/logic.pyc": "",
            "lib/__pycache__/x.pyc": "",
            "tests/test_x.py": "",
            "lib/tests/data.txt": "",
            "test_chat.py": "",
            "chat_test.py": "",
            "conftest.py": "",
            "lib/conftest.py": "",
            "a.log": "",
            "secret/key": "",
            "only-top.txt": "",
        },
    )
    kept = {
        "lib/only-top.txt": "",
        "lib/build/x": "",
        "testing.py": "",
        "latest_.py": "",
        "contest.py": "",
        "test_data.txt": "",
    }
    write_plugin(tmp_path, kept)
    assert built(tmp_path) == {"spec.conf", "logic.py", *kept}


def test_what_a_server_keeps_beside_a_plugin_is_nobody_elses(tmp_path: Path) -> None:
    secrets = {
        "data/nekonex.db": "",
        "data/secrets/nekoconnect": "the password",
        "nekonex.toml": "",
    }
    write_plugin(tmp_path, {**secrets, "lists/data/words.txt": "neko", "data2/x": ""})
    assert built(tmp_path) == {"spec.conf", "logic.py", "lists/data/words.txt", "data2/x"}


def test_a_plugin_in_the_data_of_a_server(tmp_path: Path) -> None:
    write_plugin(tmp_path, {"nekonex.db": "", "secrets/nekoconnect": "the password"})
    with pytest.raises(BuildError, match="is the data directory of a server"):
        build_package(tmp_path)
    assert not (tmp_path / "build").exists()


def test_gitignore_as_git_reads_it(tmp_path: Path) -> None:
    write_plugin(
        tmp_path,
        {
            ".gitignore": "# comment\n\n*.txt\n!keep.txt\n/docs/*\n!/docs/a.md\nexact\\ name\n",
            "a.txt": "",
            "keep.txt": "",
            "lib/b.txt": "",
            "lib/keep.txt": "",
            "docs/a.md": "",
            "docs/b.md": "",
            "exact name": "",
            "sub/.gitignore": "!b.txt\n*.bin\n/here\n",
            "sub/b.txt": "",
            "sub/c.bin": "",
            "sub/here": "",
            "sub/deep/here": "",
            "c.bin": "",
        },
    )
    assert built(tmp_path) == {
        *("spec.conf", "logic.py", "keep.txt", "lib/keep.txt", "docs/a.md", "sub/b.txt"),
        *("sub/deep/here", "c.bin"),
    }


def test_an_ignored_folder_stays_out_whatever_is_in_it(tmp_path: Path) -> None:
    files = {".gitignore": "out/\n", "out/.gitignore": "!x\n", "out/x": ""}
    assert built(write_plugin(tmp_path, files)) == {"spec.conf", "logic.py"}


def test_spec_and_logic_are_never_left_out(tmp_path: Path) -> None:
    write_plugin(tmp_path, {".gitignore": "*\n", "test_it.py": LOGIC}, logic=LOGIC)
    spec = tmp_path / "spec.conf"
    spec.write_text(spec.read_text().replace('"logic"', '"test_it"'))
    assert built(tmp_path) == {"spec.conf", "test_it.py"}


@pytest.mark.parametrize(
    ("ignored", "kept"),
    [
        ("cache/\n!/src\n", {"src/a", "b"}),
        ("a\n!/src/\n", {"src/cache/key", "b"}),
        ("src/**\n!src/a\n", {"src/a", "b"}),
        ("src/**/\n", {"src/a", "b"}),
        ("src/**/ \n!src/**/**/\n", {"src/a", "src/cache/key", "b"}),
        ("/*\n!/src/**/\n", set()),
        ("/*\n!/src\n", {"src/a", "src/cache/key"}),
        ("*\n!/src\n", set()),
        ("*\n!*/\n!key\n", {"src/cache/key"}),
        ("**\n!*/\n!/src/*\n/src/cache/*\n", {"src/a"}),
    ],
)
def test_what_a_gitignore_takes_back(tmp_path: Path, ignored: str, kept: set[str]) -> None:
    files = {"src/a": "", "src/cache/key": "", "b": "", ".gitignore": ignored}
    write_plugin(tmp_path, files)
    assert built(tmp_path) == {"spec.conf", "logic.py"} | kept


def test_a_gitignore_as_editors_on_windows_write_it(tmp_path: Path) -> None:
    files = {"secrets.txt": "", "notes.txt": "", "a": "", "b": "", "kept": ""}
    write_plugin(tmp_path, files)
    ignored = "\ufeffsecrets.txt\r\nnotes.txt\r\na\x0cb\r\na\x85b\r\na\u2028b\r\nb"
    (tmp_path / ".gitignore").write_bytes(ignored.encode())
    assert built(tmp_path) == {"spec.conf", "logic.py", "a", "kept"}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_gitignore_that_is_a_pipe_says_nothing(tmp_path: Path) -> None:
    write_plugin(tmp_path, {"a": ""})
    os.mkfifo(tmp_path / ".gitignore")
    assert built(tmp_path) == {"spec.conf", "logic.py", "a"}


def test_a_gitignore_that_is_none(tmp_path: Path) -> None:
    write_plugin(tmp_path, {".gitignore": "*.log\n!\n"})
    with pytest.raises(BuildError, match=r"\.gitignore:2:1: '!' is no pattern that git"):
        build_package(tmp_path)


def test_a_gitignore_with_a_class_of_characters(tmp_path: Path) -> None:
    write_plugin(tmp_path, {"key1": "", ".gitignore": "# [[:alpha:]]\nkey[![:alpha:]]\n"})
    with pytest.raises(BuildError, match=r"\.gitignore:2:1: .* name the characters, as in"):
        build_package(tmp_path)


@pytest.mark.parametrize("target", ["../outside", "inside.txt", "nowhere", ".."])
def test_links_are_refused(tmp_path: Path, target: str) -> None:
    folder = write_plugin(tmp_path / "plugin", {"inside.txt": ""})
    (tmp_path / "outside").write_text("secret")
    (folder / "data").symlink_to(target)
    with pytest.raises(NotPlainFileError, match="data is a link, and a package has only files"):
        build_package(folder)
    assert not (folder / "build").exists()
    (folder / ".gitignore").write_text("data\n")
    assert built(folder) == {"spec.conf", "logic.py", "inside.txt"}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names here")
def test_a_pipe_is_refused(tmp_path: Path) -> None:
    os.mkfifo(write_plugin(tmp_path) / "pipe")
    with pytest.raises(NotPlainFileError, match="pipe is no plain file"):
        build_package(tmp_path)


@pytest.mark.parametrize("name", ["what?.txt", "aux.txt", "a\nb", "a\\b", "trailing."])
def test_names_that_are_not_good_everywhere(tmp_path: Path, name: str) -> None:
    write_plugin(tmp_path, {name: ""})
    with pytest.raises(UnsafePathError, match="cannot be in a package"):
        build_package(tmp_path)


def test_names_that_are_no_text(tmp_path: Path) -> None:
    write_plugin(tmp_path)
    try:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff")).touch()
    except OSError:
        pytest.skip("this file system has only names that are text")
    with pytest.raises(UnsafePathError, match="control characters"):
        build_package(tmp_path)


def test_names_that_differ_by_case_only(tmp_path: Path) -> None:
    write_plugin(tmp_path, {"a.txt": "", "A.txt": ""})
    if len(list(tmp_path.glob("[aA].txt"))) < 2:
        pytest.skip("this file system does not know case")
    with pytest.raises(UnsafePathError, match="where case does not count"):
        build_package(tmp_path)


def test_a_wrong_spec_tells_where(tmp_path: Path) -> None:
    write_plugin(tmp_path)
    (tmp_path / "spec.conf").write_text('$name {"x"}\n')
    with pytest.raises(BadSpecError, match=r"spec\.conf:1:12: expected ; after \$name"):
        build_package(tmp_path)
    assert not (tmp_path / "build").exists()


def test_a_folder_without_a_plugin(tmp_path: Path) -> None:
    with pytest.raises(BadSpecError, match=r"spec\.conf"):
        build_package(tmp_path)


def test_logic_that_does_not_compile_tells_where(tmp_path: Path) -> None:
    write_plugin(tmp_path, logic="class Logic:\n    def recv(self, ctx)\n        pass\n")
    with pytest.raises(LogicError, match=r"logic\.py:2:\d+: expected ':'"):
        build_package(tmp_path)
    assert not (tmp_path / "build").exists()


def test_logic_is_not_run(tmp_path: Path) -> None:
    write_plugin(tmp_path, logic="raise SystemExit('it was run')\n")
    assert build_package(tmp_path).is_file()


def test_too_much_for_a_package(tmp_path: Path) -> None:
    write_plugin(tmp_path, {"large": "x" * 1000})
    with pytest.raises(PackageTooLargeError, match="more than 500 bytes for a package"):
        build_package(tmp_path, PackageLimits(max_unpacked=500))
    with pytest.raises(TooManyFilesError, match="more than 2 files for a package"):
        build_package(tmp_path, PackageLimits(max_files=2))
    assert not (tmp_path / "build").exists()


def test_an_earlier_package_stays_until_the_new_one_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_plugin(tmp_path)
    path = build_package(tmp_path)
    before = path.read_bytes()
    (tmp_path / "logic.py").write_text(f"{LOGIC}\n# changed\n")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        with pytest.raises(BuildError, match=r"cannot be built: No space left on device: .*\.ncp$"):
            build_package(tmp_path)
    assert path.read_bytes() == before
    assert no_leftovers(tmp_path)
    assert build_package(tmp_path).read_bytes() != before


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    write_plugin(tmp_path)
    (tmp_path / "build").write_text("a file")
    with pytest.raises(BuildError, match="cannot be built"):
        build_package(tmp_path)


def test_a_name_that_is_too_long_for_a_file(tmp_path: Path) -> None:
    write_plugin(tmp_path, name="x" * 300)
    with pytest.raises(BuildError, match="name too long"):
        build_package(tmp_path)
    assert not (tmp_path / "build").exists()
