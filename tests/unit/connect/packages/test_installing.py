"""Installing, upgrading, removing; and what is there when that breaks off."""

from __future__ import annotations

import errno
import itertools
import os
import shutil
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from nekonex.connect.packages import (
    AmbiguousNameError,
    FolderInUseError,
    Installation,
    InstallError,
    NotInstalledError,
    PackageLimits,
    PluginsFolder,
    changing,
    find_plugin,
    installed_plugins,
)
from nekonex.connect.packages.folder import SWAP_SECONDS
from nekonex.connect.packages.locking import holding
from tests.support.plugin_packages import package, tree, write_plugin

OLD, NEW = {"old.py": "old"}, {"new.py": "new"}


@pytest.fixture
def plugins(tmp_path: Path) -> PluginsFolder:
    return PluginsFolder(tmp_path / "plugins")


def install(
    plugins: PluginsFolder, files: dict[str, str] | None = None, **spec: str
) -> Installation:
    with changing(plugins) as changes:
        return changes.install(package(files, **spec))


def remove(plugins: PluginsFolder, greeter: str) -> None:
    with changing(plugins) as changes:
        changes.remove(greeter)


def versions(plugins: PluginsFolder) -> dict[str, str]:
    return {
        each.folder.name: each.spec.version if each.spec else "wrong"
        for each in installed_plugins(plugins)
    }


def leftovers(plugins: PluginsFolder) -> list[str]:
    """Return what is in the folder besides plugins, disabled ones and locks."""
    return [
        path.relative_to(plugins.path).as_posix()
        for path in sorted(plugins.path.rglob("*"))
        if path.relative_to(plugins.path).parts[0] in {".staged", ".replaced"}
    ]


# -- installing -------------------------------------------------------------------------------


def test_installing(plugins: PluginsFolder) -> None:
    done = install(plugins, {"lib/x.py": "x = 1"})
    assert (done.folder, done.replaced, done.previous) == (plugins.path / "chat", False, "")
    assert set(tree(done.folder)) == {"spec.conf", "logic.py", "lib/x.py"}
    assert plugins.folders() == [done.folder]
    assert plugins.is_enabled(done.folder)
    assert leftovers(plugins) == []


def test_the_folder_is_the_greeter(plugins: PluginsFolder) -> None:
    for greeter in ("a/b", "..", "ねこ", ".disabled"):
        install(plugins, greet=greeter)
        assert find_plugin(plugins, greeter).folder.parent == plugins.path
    assert sorted(versions(plugins)) == ["%2E%2E", "%2Edisabled", "a%2Fb", "ねこ"]


def test_a_greeter_that_is_too_long_for_a_folder(plugins: PluginsFolder) -> None:
    with pytest.raises(InstallError, match="longer than 255 bytes"):
        install(plugins, greet="/" * 100)
    assert versions(plugins) == {}


def test_an_upgrade_leaves_nothing_of_the_old_version(plugins: PluginsFolder) -> None:
    install(plugins, OLD, version="1.0")
    plugins.set_enabled(plugins.path / "chat", False)
    done = install(plugins, NEW, version="2.0")
    assert (done.replaced, done.previous) == (True, "1.0")
    assert set(tree(done.folder)) == {"spec.conf", "logic.py", "new.py"}
    assert not plugins.is_enabled(done.folder)
    assert leftovers(plugins) == []


def test_an_upgrade_of_one_with_a_wrong_spec(plugins: PluginsFolder) -> None:
    folder = install(plugins, OLD).folder
    (folder / "spec.conf").write_text("nothing")
    done = install(plugins, NEW)
    assert (done.replaced, done.previous) == (True, "")
    assert versions(plugins) == {"chat": "1.0"}


def test_an_upgrade_can_be_undone(plugins: PluginsFolder) -> None:
    install(plugins, OLD, version="1.0")
    with changing(plugins) as changes:
        done = changes.install(package(NEW, version="2.0"))
        assert versions(plugins) == {"chat": "2.0"}
        changes.undo(done)
        assert versions(plugins) == {"chat": "1.0"}
    assert "old.py" in tree(plugins.path / "chat")
    assert leftovers(plugins) == []


def test_a_first_installation_can_be_undone(plugins: PluginsFolder) -> None:
    with changing(plugins) as changes:
        changes.undo(changes.install(package()))
    assert versions(plugins) == {}
    assert leftovers(plugins) == []


# -- what is in the way -----------------------------------------------------------------------


def test_another_folder_has_the_greeter(plugins: PluginsFolder) -> None:
    write_plugin(plugins.path / "my own")
    with pytest.raises(InstallError) as caught:
        install(plugins)
    text = str(caught.value)
    assert str(plugins.path / "my own") in text
    assert str(plugins.path / "chat") in text
    assert versions(plugins) == {"my own": "1.0"}
    assert leftovers(plugins) == []


def test_a_folder_placed_by_hand_is_upgraded_where_it_has_the_right_name(
    plugins: PluginsFolder,
) -> None:
    write_plugin(plugins.path / "chat", version="0.5")
    assert install(plugins).previous == "0.5"


def test_the_folder_is_that_of_another_greeter(plugins: PluginsFolder) -> None:
    write_plugin(plugins.path / "chat", greet="other")
    with pytest.raises(InstallError, match="has the greeter 'other', and would be replaced by"):
        install(plugins)
    assert find_plugin(plugins, "other").folder.name == "chat"


@pytest.mark.parametrize("is_folder", [True, False])
def test_something_else_has_the_name(plugins: PluginsFolder, is_folder: bool) -> None:
    plugins.path.mkdir()
    target = plugins.path / "chat"
    if is_folder:
        target.mkdir()
        (target / "diary.txt").write_text("dear diary")
    else:
        target.write_text("dear diary")
    with pytest.raises(InstallError, match="chat is in the way, and is no plugin"):
        install(plugins)
    assert "dear diary" in tree(plugins.path).values()


def test_the_folder_of_somebody_who_works_in_it(plugins: PluginsFolder, tmp_path: Path) -> None:
    write_plugin(plugins.path / "chat", {".git/HEAD": "x"})
    with pytest.raises(InstallError, match="chat is a git working copy"):
        install(plugins)
    with pytest.raises(InstallError, match="chat is a git working copy"):
        remove(plugins, "chat")
    shutil.rmtree(plugins.path / "chat")
    write_plugin(tmp_path / "work")
    (plugins.path / "chat").symlink_to(tmp_path / "work")
    with pytest.raises(InstallError, match="chat is a link"):
        install(plugins)
    with pytest.raises(InstallError, match="chat is a link"):
        remove(plugins, "chat")
    assert "logic.py" in tree(tmp_path / "work")


def test_the_plugins_folder_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InstallError, match="cannot be changed: Not a directory"):
        install(PluginsFolder(tmp_path / "file" / "plugins"))


# -- breaking off -----------------------------------------------------------------------------


class Interrupted(BaseException):
    """As by Ctrl-C."""


def failing_at(numbers: Collection[int], error: BaseException) -> Callable[..., None]:
    """Return an `os.replace` that fails at some of its calls, counted from 1."""
    replace, calls = os.replace, itertools.count(1)

    def failing(source: Path, target: Path) -> None:
        if next(calls) in numbers:
            raise error
        replace(source, target)

    return failing


@pytest.mark.parametrize("error", [OSError(errno.EIO, "Input/output error"), Interrupted()])
@pytest.mark.parametrize("numbers", [{1}, {2}, {2, 3}, range(1, 9), range(2, 9)])
def test_an_upgrade_that_fails(
    plugins: PluginsFolder,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    numbers: Collection[int],
) -> None:
    install(plugins, OLD, version="1.0")
    before = tree(plugins.path / "chat")
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", failing_at(numbers, error))
        with pytest.raises((InstallError, Interrupted)):
            install(plugins, NEW, version="2.0")
    # Where not even going back worked, whoever looks next puts it back.
    assert versions(plugins) == {"chat": "1.0"}
    assert tree(plugins.path / "chat") == before
    assert install(plugins, NEW, version="2.0").previous == "1.0"
    assert leftovers(plugins) == []


@pytest.mark.parametrize("numbers", [{1}, range(1, 9)])
def test_a_first_installation_that_fails(
    plugins: PluginsFolder, monkeypatch: pytest.MonkeyPatch, numbers: Collection[int]
) -> None:
    error = OSError(errno.EIO, "Input/output error")
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", failing_at(numbers, error))
        with pytest.raises(InstallError, match="Input/output error"):
            install(plugins)
    assert versions(plugins) == {}
    assert leftovers(plugins) == []


@pytest.mark.parametrize("is_upgrade", [False, True])
@pytest.mark.parametrize("number", range(1, 6))
def test_a_disk_that_is_full(
    plugins: PluginsFolder, monkeypatch: pytest.MonkeyPatch, number: int, is_upgrade: bool
) -> None:
    """Three files, their folder, and at last the one that the plugin is in place in."""
    if is_upgrade:
        install(plugins, OLD, version="1.0")
    fsync, calls = os.fsync, itertools.count(1)

    def failing(descriptor: int) -> None:
        if next(calls) == number:
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(InstallError, match="No space left on device"):
        install(plugins, NEW, version="2.0")
    assert versions(plugins) == ({"chat": "1.0"} if is_upgrade else {})
    assert leftovers(plugins) == []


def snapshots(
    plugins: PluginsFolder, monkeypatch: pytest.MonkeyPatch, into: Path, do: Callable[[], object]
) -> list[Path]:
    """Return copies of the folder as a crash would have left it, at each step of something."""
    taken: list[Path] = []

    def snapshot() -> None:
        taken.append(into / str(len(taken)))
        shutil.copytree(plugins.path, taken[-1])

    def watched(name: str) -> None:
        function = getattr(os, name)

        def step(*arguments: object, **options: object) -> object:
            snapshot()
            result = function(*arguments, **options)
            snapshot()
            return result

        patch.setattr(os, name, step)

    with monkeypatch.context() as patch:
        for name in ("replace", "fsync", "unlink", "rmdir"):
            watched(name)
        do()
    return taken


def test_a_crash_in_an_upgrade_leaves_one_whole_version(
    plugins: PluginsFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(plugins, OLD, version="1.0")
    old = tree(plugins.path / "chat")
    taken = snapshots(
        plugins, monkeypatch, tmp_path / "crash", lambda: install(plugins, NEW, version="2.0")
    )
    new = tree(plugins.path / "chat")
    assert len(taken) > 10
    seen = []
    for path in taken:
        crashed = PluginsFolder(path)
        (folder,) = crashed.folders()
        seen.append("old" if tree(folder) == old else "new")
        assert tree(folder) in (old, new)
        with changing(crashed):
            assert crashed.folders() == [folder]
        assert leftovers(crashed) == []
    assert seen == sorted(seen, reverse=True)
    assert set(seen) == {"old", "new"}


def test_a_crash_while_an_upgrade_is_undone_leaves_one_whole_version(
    plugins: PluginsFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(plugins, OLD, version="1.0")
    old = tree(plugins.path / "chat")
    with changing(plugins) as changes:
        done = changes.install(package(NEW, version="2.0"))
        new = tree(done.folder)
        taken = snapshots(plugins, monkeypatch, tmp_path / "crash", lambda: changes.undo(done))
    assert len(taken) == 4
    for path in taken:
        (folder,) = PluginsFolder(path).folders()
        assert tree(folder) in (old, new)


def test_a_crash_while_one_is_removed(
    plugins: PluginsFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(plugins)
    plugins.set_enabled(plugins.path / "chat", False)
    whole = tree(plugins.path / "chat")
    for path in snapshots(
        plugins, monkeypatch, tmp_path / "crash", lambda: remove(plugins, "chat")
    ):
        crashed = PluginsFolder(path)
        for folder in crashed.folders():
            assert tree(folder) == whole
            assert not crashed.is_enabled(folder)
        with changing(crashed) as changes:
            if not crashed.folders():
                changes.install(package())
                assert crashed.is_enabled(path / "chat")
        assert leftovers(crashed) == []


# -- several at once --------------------------------------------------------------------------


def test_two_commands_at_once_take_turns(plugins: PluginsFolder) -> None:
    count = 8
    start, problems = threading.Barrier(count), []

    def one(number: int) -> None:
        start.wait()
        try:
            install(plugins, {f"{number}.py": "x"}, version=str(number))
        except Exception as error:  # noqa: BLE001
            problems.append(error)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    ((_, version),) = versions(plugins).items()
    assert set(tree(plugins.path / "chat")) == {"spec.conf", "logic.py", f"{version}.py"}
    assert leftovers(plugins) == []


def test_whoever_looks_never_sees_an_upgrade_half_done(plugins: PluginsFolder) -> None:
    install(plugins, version="0")
    done, seen = threading.Event(), set()

    def look() -> None:
        watcher = PluginsFolder(plugins.path)
        while not done.is_set():
            seen.add(len(watcher.folders()))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        for number in range(12):
            install(plugins, version=str(number))
    finally:
        done.set()
        thread.join()
    assert seen == {1}


def test_a_command_that_takes_too_long_is_not_waited_for(plugins: PluginsFolder) -> None:
    second = changing(plugins, PackageLimits(lock_timeout=0.05))
    with changing(plugins), pytest.raises(FolderInUseError, match="another command has been"):
        second.__enter__()


def test_an_upgrade_waits_for_whoever_looks(
    plugins: PluginsFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(plugins, version="1.0")
    assert SWAP_SECONDS > 1
    monkeypatch.setattr("nekonex.connect.packages.folder.SWAP_SECONDS", 0.05)
    with holding(plugins.path / ".locks" / "swap", 1.0), pytest.raises(InstallError, match="lock"):
        install(plugins, version="2.0")
    assert versions(plugins) == {"chat": "1.0"}
    assert leftovers(plugins) == []


# -- removing, finding ------------------------------------------------------------------------


def test_removing(plugins: PluginsFolder) -> None:
    install(plugins)
    install(plugins, greet="other")
    plugins.set_enabled(plugins.path / "chat", False)
    with changing(plugins) as changes:
        removed = changes.remove("chat")
    assert (removed.greeter, removed.enabled) == ("chat", False)
    assert versions(plugins) == {"other": "1.0"}
    assert leftovers(plugins) == []
    assert install(plugins).replaced is False
    assert plugins.is_enabled(plugins.path / "chat")


def test_removing_one_placed_by_hand_under_another_name(plugins: PluginsFolder) -> None:
    write_plugin(plugins.path / "my own", greet="chat")
    remove(plugins, "chat")
    assert versions(plugins) == {}


def test_removing_one_with_a_wrong_spec(plugins: PluginsFolder) -> None:
    folder = install(plugins, greet="a/b").folder
    (folder / "spec.conf").write_text("nothing")
    assert find_plugin(plugins, "a/b").greeter == "a/b"
    remove(plugins, "a/b")
    assert versions(plugins) == {}


@pytest.mark.parametrize("greeter", ["chat", "", "/" * 200, "..", "chat/../chat", ".locks"])
def test_what_is_not_installed(plugins: PluginsFolder, greeter: str) -> None:
    install(plugins, greet="other")
    with pytest.raises(NotInstalledError, match="no plugin with the greeter"):
        remove(plugins, greeter)
    assert versions(plugins) == {"other": "1.0"}


def test_two_folders_with_one_greeter(plugins: PluginsFolder) -> None:
    write_plugin(plugins.path / "one")
    write_plugin(plugins.path / "two")
    with pytest.raises(AmbiguousNameError, match=r"one and .*two have the same greeter 'chat'"):
        remove(plugins, "chat")


def test_enabling(plugins: PluginsFolder) -> None:
    folder = install(plugins).folder
    for enabled in (False, False, True, True):
        with changing(plugins) as changes:
            before = plugins.is_enabled(folder)
            assert changes.set_enabled("chat", enabled).enabled == before
        assert plugins.is_enabled(folder) is enabled
    with changing(plugins) as changes, pytest.raises(NotInstalledError):
        changes.set_enabled("nobody", False)


def test_a_folder_that_cannot_be_read(
    plugins: PluginsFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def failing(*_: object) -> Iterator[None]:
        raise PermissionError(errno.EACCES, "Permission denied")
        yield

    monkeypatch.setattr("nekonex.connect.packages.folder.sharing", failing)
    with pytest.raises(InstallError, match="cannot be read: Permission denied"):
        installed_plugins(plugins)
