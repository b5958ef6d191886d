"""Finding packages in the configured repositories.

A repository is a URL: that of its index where it ends with ``.json``, else that of the folder with
its ``index.json``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from nekonex.connect.packages.downloading import download
from nekonex.connect.packages.errors import (
    AmbiguousNameError,
    ChecksumError,
    PackageError,
    RepositoryError,
)
from nekonex.connect.packages.index import IndexEntry, RepositoryIndex, parse_index, version_key
from nekonex.connect.packages.limits import DEFAULT_LIMITS, PackageLimits
from nekonex.connect.packages.names import quoted
from nekonex.connect.packages.unpacking import Package, read_package

__all__ = ["choose", "fetch_package", "index_url", "newest", "read_repositories", "search"]

INDEX_NAME: Final = "index.json"

_AT_A_TIME: Final = 8


def index_url(repository: str) -> str:
    """Return where the index of a repository is."""
    parts = urlsplit(repository)
    if parts.path.endswith(".json"):
        return repository
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{INDEX_NAME}", fragment=""))


def read_repositories(
    repositories: Iterable[str],
    warn: Callable[[str], object],
    limits: PackageLimits = DEFAULT_LIMITS,
) -> list[IndexEntry]:
    """Return what all repositories have, in their order. Blocks.

    ``warn`` is called with one sentence for a repository that cannot be used, which is skipped,
    or of which something is left out.
    """

    def read(url: str) -> RepositoryIndex | PackageError:
        try:
            content = download(url, limits.max_index, limits, seconds=limits.index_timeout)
            return parse_index(content, url, limits)
        except PackageError as error:
            return error

    entries: list[IndexEntry] = []
    urls = [index_url(each) for each in repositories]
    with ThreadPoolExecutor(_AT_A_TIME, thread_name_prefix="repository") as pool:
        for url, found in zip(urls, pool.map(read, urls), strict=True):
            if isinstance(found, PackageError):
                warn(f"the repository {url} is skipped: {found}")
                continue
            if found.problem:
                warn(f"the repository {url}: {found.problem}")
            entries.extend(found.entries)
    return entries


def search(entries: Iterable[IndexEntry], words: Iterable[str]) -> list[IndexEntry]:
    """Return the entries in whose name, greeter or about every word occurs, whatever its case."""
    wanted = [each.casefold() for each in words]

    def is_wanted(entry: IndexEntry) -> bool:
        text = f"{entry.name}\n{entry.greeter}\n{entry.about}".casefold()
        return all(each in text for each in wanted)

    return [each for each in entries if is_wanted(each)]


def newest(entries: Iterable[IndexEntry]) -> list[IndexEntry]:
    """Return the newest version of each plugin, by greeter; of equal ones the first."""
    found: dict[str, IndexEntry] = {}
    for each in entries:
        other = found.get(each.greeter)
        if other is None or version_key(each.version) > version_key(other.version):
            found[each.greeter] = each
    return [found[greeter] for greeter in sorted(found)]


def choose(entries: Sequence[IndexEntry], name: str) -> IndexEntry:
    """Return the newest version of the plugin with this greeter, or else with this name.

    Raises RepositoryError where there is none, AmbiguousNameError where several have the name.
    """
    found = newest(each for each in entries if each.greeter == name)
    if not found:
        wanted = name.casefold()
        found = newest(each for each in entries if each.name.casefold() == wanted)
    if not found:
        raise RepositoryError(f"no repository has a plugin {quoted(name)}")
    if len(found) > 1:
        greeters = ", ".join(quoted(each.greeter) for each in found)
        raise AmbiguousNameError(
            f"several plugins are called {quoted(name)}; say which by its greeter: {greeters}"
        )
    return found[0]


def fetch_package(entry: IndexEntry, limits: PackageLimits = DEFAULT_LIMITS) -> Package:
    """Download the package of an entry, and see that it is what the index says. Blocks.

    Raises ChecksumError if it is not, and what `download` and `read_package` raise.
    """
    content = download(entry.file, limits.max_package, limits)
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 != entry.sha256:
        raise ChecksumError(
            f"{entry.file} is refused: its sha256 is {sha256}, and the index says {entry.sha256}"
        )
    package = read_package(content, entry.file, limits)
    for what, here, there in (
        ("greeter", package.spec.greeter, entry.greeter),
        ("version", package.spec.version, entry.version),
    ):
        if here != there:
            raise ChecksumError(
                f"{entry.file} is refused: its {what} is {quoted(here)}, and the index says "
                f"{quoted(there)}"
            )
    return package
