"""Paths of files, as OpenCode on Windows, on Linux and in Git Bash writes them."""

from __future__ import annotations

import posixpath
import re

_DRIVE = re.compile(r"[A-Za-z]:[\\/]|\\\\")
# What `normpath` changes: a path that begins or ends with a slash, or has an empty part, `.` or `..`.
_ABNORMAL = re.compile(r"(?:^|/)\.{0,2}(?:/|$)")
# Git Bash writes C:\ as /c/.
_MOUNTED_DRIVE = re.compile(r"/([A-Za-z])(?=/)")
# Files that programs write: what changed in them follows from something else.
_GENERATED = re.compile(
    r"(?:^|[/\\])(?:"
    r"(?:package-lock|npm-shrinkwrap|packages\.lock)\.json|pnpm-lock\.yaml|go(?:\.work)?\.sum|bun\.lockb?"
    r"|[\w.-]+\.lock(?:file|\.hcl)?|(?:Package|Cartfile)\.resolved"
    r"|[^/\\]+\.(?:min\.(?:m?js|css)|map|snap|pb\.(?:go|cc|h)|g\.dart|generated\.\w+)"
    r"|[^/\\]+_pb2(?:_grpc)?\.pyi?"
    r"|__(?:snapshots|generated)__[/\\].*)$"
)


def relative_path(path: str, directory: str) -> str:
    """A path relative to a folder, if it is below it; otherwise the path as it is.

    On Windows, separators of either kind are equal, and so are the spellings of a drive.
    """
    folder = directory.rstrip("/\\") + "/"
    if not directory:
        return path
    if _DRIVE.match(directory):
        # The comparable forms are as long as the originals.
        is_below = _comparable(path).startswith(_comparable(folder))
    else:
        is_below = path.startswith(folder)
    return path[len(folder) :] if is_below else path


def canonical_path(path: str, directory: str) -> str:
    """The one spelling of a path by which files are compared: relative if possible, without `./`."""
    is_windows = bool(_DRIVE.match(directory) or _DRIVE.match(path))
    relative = relative_path(path, directory)
    if is_windows:
        relative = _with_slashes(relative)
    canonical = posixpath.normpath(relative) if relative and _ABNORMAL.search(relative) else relative
    # A path may become one below the folder only now.
    return relative_path(canonical, _with_slashes(directory) if is_windows else directory)


def _comparable(path: str) -> str:
    return _with_slashes(path).lower()


def _with_slashes(path: str) -> str:
    path = _MOUNTED_DRIVE.sub(r"\1:", path, count=1) if _MOUNTED_DRIVE.match(path) else path
    return path[:1].upper() + path[1:].replace("\\", "/") if path[1:2] == ":" else path.replace("\\", "/")


def is_generated(path: str) -> bool:
    """Whether a path is that of a lock file, of minified or generated code, or of a test's snapshot."""
    return bool(_GENERATED.search(path))
