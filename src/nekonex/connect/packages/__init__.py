"""Packages of plugins: building them, and installing them from files, URLs and repositories."""

from __future__ import annotations

from nekonex.connect.packages.archive import PACKAGE_SUFFIX, build_package, package_name
from nekonex.connect.packages.downloading import download
from nekonex.connect.packages.errors import (
    AmbiguousNameError,
    BadSpecError,
    BrokenPackageError,
    BuildError,
    ChecksumError,
    CompressionError,
    DownloadError,
    EncryptedPackageError,
    FolderInUseError,
    InstallError,
    LogicError,
    MissingLogicError,
    MissingSpecError,
    NotInstalledError,
    NotPlainFileError,
    PackageError,
    PackageTooLargeError,
    RepositoryError,
    TooManyFilesError,
    UnsafePathError,
    UnsafeUrlError,
)
from nekonex.connect.packages.folder import PluginsFolder
from nekonex.connect.packages.index import IndexEntry, RepositoryIndex, parse_index
from nekonex.connect.packages.installing import (
    Installation,
    InstalledPlugin,
    PluginChanges,
    changing,
    find_plugin,
    installed_plugins,
)
from nekonex.connect.packages.limits import DEFAULT_LIMITS, PackageLimits
from nekonex.connect.packages.repositories import (
    choose,
    fetch_package,
    newest,
    read_repositories,
    search,
)
from nekonex.connect.packages.unpacking import Package, read_package, read_package_file

__all__ = [
    "DEFAULT_LIMITS",
    "PACKAGE_SUFFIX",
    "AmbiguousNameError",
    "BadSpecError",
    "BrokenPackageError",
    "BuildError",
    "ChecksumError",
    "CompressionError",
    "DownloadError",
    "EncryptedPackageError",
    "FolderInUseError",
    "IndexEntry",
    "InstallError",
    "Installation",
    "InstalledPlugin",
    "LogicError",
    "MissingLogicError",
    "MissingSpecError",
    "NotInstalledError",
    "NotPlainFileError",
    "Package",
    "PackageError",
    "PackageLimits",
    "PackageTooLargeError",
    "PluginChanges",
    "PluginsFolder",
    "RepositoryError",
    "RepositoryIndex",
    "TooManyFilesError",
    "UnsafePathError",
    "UnsafeUrlError",
    "build_package",
    "changing",
    "choose",
    "download",
    "fetch_package",
    "find_plugin",
    "installed_plugins",
    "newest",
    "package_name",
    "parse_index",
    "read_package",
    "read_package_file",
    "read_repositories",
    "search",
]
