"""What can be wrong with a request for a share; the text of each error is a sentence for the caller."""

from __future__ import annotations

from collections.abc import Collection


class ShareError(Exception):
    """A share cannot do what was asked."""


class ShareExists(ShareError):
    def __init__(self) -> None:
        super().__init__("A share with this id exists already; use another id, or send its secret.")


class ShareNotFound(ShareError):
    def __init__(self) -> None:
        super().__init__("There is no share with this id; it may have been removed.")


class ShareExpired(ShareError):
    def __init__(self) -> None:
        super().__init__("This share has expired; its session is no longer available.")


class WrongShareSource(ShareError):
    """The other protocol made the share: UPLOAD where NATIVE is needed, or the reverse."""

    def __init__(self) -> None:
        super().__init__("This share was made by the other protocol, and only that one may change it.")


class RevisionConflict(ShareError):
    """The share has changed since the `revision` that a change was made from; now it has this one."""

    def __init__(self, revision: int) -> None:
        super().__init__("The share was changed by somebody else; upload what differs from its revision now.")
        self.revision = revision


class ObjectMissing(ShareError):
    def __init__(self) -> None:
        super().__init__(
            "What is to be committed is not there: it was not uploaded, or is committed already."
        )


class PasswordRequired(ShareError):
    """The session of the share `share_id` is only for those who know its password."""

    def __init__(self, share_id: str) -> None:
        super().__init__("This session is only for those who know its password; open the link in a browser.")
        self.share_id = share_id


class SignInRequired(ShareError):
    def __init__(self) -> None:
        super().__init__("This session is only for people who are signed in on this server.")


class AudienceNotOffered(ShareError):
    def __init__(self, choices: Collection[str]) -> None:
        offered = ", ".join(f"'{choice}'" for choice in choices)
        super().__init__(f"This server does not offer that audience, only {offered}.")


class PasswordNotUsed(ShareError):
    def __init__(self) -> None:
        super().__init__("'password' needs the audience 'password'.")


class NotYourShare(ShareError):
    def __init__(self) -> None:
        super().__init__("Somebody else shared this session; only they and admins can manage it.")


class SealedSecret(ShareError):
    """What OpenCode has as the secret of a share that the plugin made, which only the plugin can use."""

    def __init__(self) -> None:
        super().__init__(
            "This session was shared with the plugin, and without it OpenCode cannot update its page. "
            "Install the plugin again, or remove the link: in OpenCode, or with the plugin's command line."
        )


class WrongSecret(ShareError):
    def __init__(self) -> None:
        super().__init__("The secret of this share is missing or wrong; send it as 'X-Share-Secret'.")
