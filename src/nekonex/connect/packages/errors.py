"""What cannot be done with a package; each text is one sentence for whoever asked."""

from __future__ import annotations

__all__ = [
    "AmbiguousNameError",
    "BadSpecError",
    "BrokenPackageError",
    "BuildError",
    "ChecksumError",
    "CompressionError",
    "DownloadError",
    "EncryptedPackageError",
    "FolderInUseError",
    "InstallError",
    "LogicError",
    "MissingLogicError",
    "MissingSpecError",
    "NotInstalledError",
    "NotPlainFileError",
    "PackageError",
    "PackageTooLargeError",
    "RepositoryError",
    "TooManyFilesError",
    "UnsafePathError",
    "UnsafeUrlError",
]


class PackageError(Exception):
    """What was asked for cannot be done, and nothing of it was."""


# -- what is in a package ----------------------------------------------------------------------


class BrokenPackageError(PackageError):
    """It is no zip file, or parts of it are damaged or missing."""


class UnsafePathError(PackageError):
    """A path leaves the folder, is none on every system, or stands for two files on some."""


class NotPlainFileError(PackageError):
    """A link, a device or something else that is neither a file nor a folder."""


class EncryptedPackageError(PackageError):
    """A file is encrypted."""


class CompressionError(PackageError):
    """A file is compressed in another way than deflate."""


class PackageTooLargeError(PackageError):
    """The package, or what it unpacks to, has more bytes than allowed."""


class TooManyFilesError(PackageError):
    """The package has more files than allowed."""


class MissingSpecError(PackageError):
    """There is no spec.conf."""


class BadSpecError(PackageError):
    """The spec.conf has an error; the text begins with file, line and column."""


class MissingLogicError(PackageError):
    """The logic file that the spec.conf names is not there."""


# -- making one --------------------------------------------------------------------------------


class BuildError(PackageError):
    """A folder cannot be made into a package."""


class LogicError(BuildError):
    """The logic file does not compile; the text begins with file, line and column."""


# -- the folder of installed plugins -----------------------------------------------------------


class InstallError(PackageError):
    """The plugin cannot be installed, or changed, where it should be."""


class NotInstalledError(InstallError):
    """No installed plugin has that greeter."""


class FolderInUseError(InstallError):
    """Another command has been changing the same plugins for too long."""


# -- from elsewhere ----------------------------------------------------------------------------


class UnsafeUrlError(PackageError):
    """A URL that is neither https nor http on this machine, or leads to one."""


class DownloadError(PackageError):
    """Another server cannot be reached, or does not send what it should."""


class RepositoryError(PackageError):
    """A repository's index cannot be used."""


class AmbiguousNameError(PackageError):
    """Several plugins have that name."""


class ChecksumError(PackageError):
    """A file is not the one that the repository's index lists."""
