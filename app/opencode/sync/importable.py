"""Completes sessions of OpenCode 1 with what today's `opencode import` demands of them.

Sessions of older versions lack fields that became mandatory, and plugins add parts with ids of their own.
Fields that are there stay as they are; ids that the importer refuses are replaced, in the same way wherever
they occur. The shapes are those of session-v1.ts in OpenCode.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import Raw

Fields = dict[str, Any]

UNKNOWN = "unknown"
# Longer fields are not decoded. What is completed is shorter, or in one of the objects that are.
MAX_FIELD_BYTES = 16 * 1024
NESTED = ("state", "summary")
_TOKENS = {"input": 0, "output": 0, "reasoning": 0, "cache": {"read": 0, "write": 0}}


class Completer:
    """Completes the session, and then its messages in their order."""

    def __init__(self, session: Mapping[str, Raw], id: str) -> None:
        self._session = {name: msgspec.json.decode(value) for name, value in session.items()}
        self._id = id if id.startswith("ses") else f"ses_{id or UNKNOWN}"
        self._messages: dict[str, str] = {}
        self._prompt_id = "msg_0"
        self._last_id = "msg_0"

    def session(self) -> Fields:
        """The session with every field that the importer demands."""
        session = dict(self._session)
        session["id"] = self._id
        session["slug"] = _text(session.get("slug"), self._id.removeprefix("ses_").lower())
        session["projectID"] = _text(session.get("projectID"), "global")
        session["directory"] = _text(session.get("directory"), "/")
        session["title"] = _text(session.get("title"), "Imported session")
        session["version"] = _text(session.get("version"), "0.0.0")
        session["time"] = _numbers(session.get("time"), ("created", "updated"))
        if "summary" in session:
            session["summary"] = _numbers(session["summary"], ("additions", "deletions", "files"))
        if not isinstance(session.get("cost", 0), int | float):
            del session["cost"]
        if isinstance(revert := session.get("revert"), dict) and "messageID" in revert:
            revert["messageID"] = self._messages.get(revert["messageID"], revert["messageID"])
        return session

    def message(self, info: Fields, model: Fields) -> Fields:
        """The head of a message; `model` is what `answering` gives of the answer to a prompt."""
        id = self._message_id(str(info.get("id", "")))
        info = {**info, "id": id, "sessionID": self._id}
        info["time"] = _numbers(info.get("time"), ("created",))
        return self._prompt(info, model) if info.get("role") == "user" else self._answer(info)

    def part(self, part: Fields, message: Fields, previous_id: str, number: int) -> Fields:
        """A part of `message`; one with an id that is refused gets one that sorts after the part before."""
        id = part.get("id")
        is_accepted = isinstance(id, str) and id.startswith("prt")
        own_id = id if is_accepted else f"{previous_id}x{number:05}"
        part = {**part, "id": own_id, "sessionID": self._id, "messageID": message["id"]}
        complete = PARTS.get(part["type"])
        return complete(part, message) if complete else part

    def _message_id(self, id: str) -> str:
        if id.startswith("msg"):
            self._last_id = id
            return id
        self._messages[id] = f"{self._last_id}x{len(self._messages):05}"
        return self._messages[id]

    def _prompt(self, info: Fields, model: Fields) -> Fields:
        self._prompt_id = info["id"]
        info["agent"] = _text(info.get("agent"), model["agent"])
        given = info.get("model")
        info["model"] = given if isinstance(given, dict) else {}
        for name in ("providerID", "modelID"):
            info["model"][name] = _text(info["model"].get(name), model[name])
        if isinstance(summary := info.get("summary"), dict):
            summary.setdefault("diffs", [])
        else:
            info.pop("summary", None)
        return info

    def _answer(self, info: Fields) -> Fields:
        given = info.get("model")
        model: Fields = given if isinstance(given, dict) else {}
        info["role"] = "assistant"
        parent_id = _text(info.get("parentID"), self._prompt_id)
        info["parentID"] = self._messages.get(parent_id, parent_id)
        for name in ("providerID", "modelID"):
            info[name] = _text(info.get(name), _text(model.get(name), UNKNOWN))
        info["mode"] = _text(info.get("mode"), _text(info.get("agent"), "build"))
        info["agent"] = _text(info.get("agent"), info["mode"])
        folder = _text(self._session.get("directory"), "/")
        path = info.get("path")
        info["path"] = {"cwd": folder, "root": folder, **(path if isinstance(path, dict) else {})}
        info["cost"] = info.get("cost") if isinstance(info.get("cost"), int | float) else 0
        info["tokens"] = _tokens(info.get("tokens"))
        return info


def answering(info: Fields) -> Fields:
    """What a prompt needs to know of its answer."""
    return {
        "agent": _text(info.get("agent"), _text(info.get("mode"), "build")),
        "providerID": _text(info.get("providerID"), UNKNOWN),
        "modelID": _text(info.get("modelID"), UNKNOWN),
    }


def _complete_tool(part: Fields, message: Fields) -> Fields:
    part["callID"] = _text(part.get("callID"), part["id"])
    part["tool"] = _text(part.get("tool"), UNKNOWN)
    state = part["state"] = dict(part["state"]) if isinstance(part.get("state"), dict) else {}
    state.setdefault("status", "pending")
    if not _is_object(state.get("input")):
        state["input"] = {}
    if state["status"] == "pending":
        state["raw"] = _text(state.get("raw"), "")
        return part
    names = ("start",) if state["status"] == "running" else ("start", "end")
    state["time"] = _numbers(state.get("time"), names, message["time"]["created"])
    if state["status"] == "completed":
        state["output"], state["title"] = _text(state.get("output"), ""), _text(state.get("title"), "")
        state["metadata"] = state["metadata"] if _is_object(state.get("metadata")) else {}
    elif state["status"] == "error":
        state["error"] = _text(state.get("error"), "")
    return part


def _complete_reasoning(part: Fields, message: Fields) -> Fields:
    part["text"] = _text(part.get("text"), "")
    part["time"] = _numbers(part.get("time"), ("start",), message["time"]["created"])
    return part


def _complete_text(part: Fields, message: Fields) -> Fields:
    part["text"] = _text(part.get("text"), "")
    if "time" in part:
        part["time"] = _numbers(part["time"], ("start",), message["time"]["created"])
    return part


def _complete_file(part: Fields, message: Fields) -> Fields:
    part["mime"], part["url"] = _text(part.get("mime"), "text/plain"), _text(part.get("url"), "")
    return part


def _complete_step_finish(part: Fields, message: Fields) -> Fields:
    part["reason"] = _text(part.get("reason"), UNKNOWN)
    part["cost"] = part.get("cost") if isinstance(part.get("cost"), int | float) else 0
    part["tokens"] = _tokens(part.get("tokens"))
    return part


def _complete_compaction(part: Fields, message: Fields) -> Fields:
    part["auto"] = bool(part.get("auto"))
    return part


# For each type of part, the function that fills in what is missing.
PARTS: dict[str, Callable[[Fields, Fields], Fields]] = {
    "text": _complete_text,
    "reasoning": _complete_reasoning,
    "file": _complete_file,
    "tool": _complete_tool,
    "step-finish": _complete_step_finish,
    "compaction": _complete_compaction,
}


def fields_of(json: Raw) -> Fields:
    """The fields of a JSON object; large ones stay JSON, because decoded they are many times as large.

    Raises ValidationError.
    """
    fields = msgspec.json.decode(json, type=dict[str, Raw])
    return {name: _field(name, value) for name, value in fields.items()}


def _field(name: str, value: Raw) -> object:
    if name in NESTED:
        try:
            return fields_of(value)
        except msgspec.ValidationError:
            return msgspec.json.decode(value)
    return value if len(memoryview(value)) > MAX_FIELD_BYTES else msgspec.json.decode(value)


def _text(value: object, default: str) -> Any:
    is_text = isinstance(value, str) or (isinstance(value, Raw) and _begins_with(value, b'"'))
    return value if is_text else default


def _is_object(value: object) -> bool:
    return isinstance(value, dict) or (isinstance(value, Raw) and _begins_with(value, b"{"))


def _begins_with(json: Raw, character: bytes) -> bool:
    return bytes(memoryview(json)[:1]) == character


def _numbers(value: object, names: tuple[str, ...], default: float = 0) -> Fields:
    fields = dict(value) if isinstance(value, dict) else {}
    return {**fields, **{name: _number(fields.get(name), default) for name in names}}


def _number(value: object, default: float) -> float:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else default


def _tokens(value: object) -> Fields:
    given = value if isinstance(value, dict) else {}
    cache = given.get("cache") if isinstance(given.get("cache"), dict) else {}
    filled = {**_TOKENS, **given, "cache": _numbers(cache, ("read", "write"))}
    return _numbers(filled, ("input", "output", "reasoning"))
