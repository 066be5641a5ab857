"""What the operating system said, for the log."""

from __future__ import annotations

import errno


def describe(error: OSError) -> str:
    """The name of the errno and its meaning, as in `ENOSPC (No space left on device)`; no paths."""
    return f"{errno.errorcode.get(error.errno or 0, error.errno)} ({error.strerror})"


def os_error_behind(error: BaseException) -> OSError | None:
    """The first error in a chain of exceptions that has an errno; None if there is none."""
    cause: BaseException | None = error
    while cause:
        if isinstance(cause, OSError) and cause.errno is not None:
            return cause
        cause = cause.__cause__ or cause.__context__
    return None
