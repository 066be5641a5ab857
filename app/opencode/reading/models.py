"""The names of models, as OpenCode's own protocol tells them beside a session."""

from __future__ import annotations

import msgspec
from msgspec import Raw

from app.opencode.fields import model_name
from app.opencode.limits import objects
from app.opencode.model import Conversation

MAX_MODELS = 1_000


class _Model(msgspec.Struct, frozen=True):
    id: str
    providerID: str = ""  # noqa: N815 - OpenCode's name
    name: str = ""


def name_models(conversation: Conversation, field: Raw) -> None:
    """Calls the models of a conversation by their names in a JSON list of models, where it has them.

    Its steps go on telling them by their ids, which no two models share.
    """
    names = _names(field)
    conversation.models = [names.get(model, model) for model in conversation.models]


def _names(field: Raw) -> dict[str, str]:
    """Names by `provider/model`; a broken list has none."""
    try:
        models = [msgspec.json.decode(model, type=_Model) for model in objects(field, MAX_MODELS)]
    except msgspec.ValidationError:
        return {}
    return {model_name(model.providerID, model.id): model.name for model in models if model.name}
