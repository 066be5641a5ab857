"""Completes sessions of OpenCode 1 with what today's `opencode import` demands of them.

Sessions of older versions lack fields that became mandatory, and plugins add parts with ids of their own.
Fields that are there stay as they are; ids that the importer refuses are replaced, in the same way wherever
they occur. The shapes are those of session-v1.ts in OpenCode.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec
from msgspec import Raw

from app.opencode.sync.import_errors import complete_error
from app.opencode.sync.import_fields import UNKNOWN, Fields, is_object, numbers, text, tokens


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
        session["slug"] = text(session.get("slug"), self._id.removeprefix("ses_").lower())
        session["projectID"] = text(session.get("projectID"), "global")
        session["directory"] = text(session.get("directory"), "/")
        session["title"] = text(session.get("title"), "Imported session")
        session["version"] = text(session.get("version"), "0.0.0")
        session["time"] = numbers(session.get("time"), ("created", "updated"))
        if "summary" in session:
            session["summary"] = numbers(session["summary"], ("additions", "deletions", "files"))
        if not isinstance(session.get("cost", 0), int | float):
            del session["cost"]
        if isinstance(revert := session.get("revert"), dict) and "messageID" in revert:
            revert["messageID"] = self._messages.get(revert["messageID"], revert["messageID"])
        return session

    def message(self, info: Fields, model: Fields) -> Fields:
        """The head of a message; `model` is what `answering` gives of the answer to a prompt."""
        id = self._message_id(str(info.get("id", "")))
        info = {**info, "id": id, "sessionID": self._id}
        info["time"] = numbers(info.get("time"), ("created",))
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
        info["agent"] = text(info.get("agent"), model["agent"])
        given = info.get("model")
        info["model"] = given if isinstance(given, dict) else {}
        for name in ("providerID", "modelID"):
            info["model"][name] = text(info["model"].get(name), model[name])
        if isinstance(summary := info.get("summary"), dict):
            summary.setdefault("diffs", [])
        else:
            info.pop("summary", None)
        return info

    def _answer(self, info: Fields) -> Fields:
        given = info.get("model")
        model: Fields = given if isinstance(given, dict) else {}
        info["role"] = "assistant"
        parent_id = text(info.get("parentID"), self._prompt_id)
        info["parentID"] = self._messages.get(parent_id, parent_id)
        for name in ("providerID", "modelID"):
            info[name] = text(info.get(name), text(model.get(name), UNKNOWN))
        info["mode"] = text(info.get("mode"), text(info.get("agent"), "build"))
        info["agent"] = text(info.get("agent"), info["mode"])
        folder = text(self._session.get("directory"), "/")
        path = info.get("path")
        info["path"] = {"cwd": folder, "root": folder, **(path if isinstance(path, dict) else {})}
        info["cost"] = info.get("cost") if isinstance(info.get("cost"), int | float) else 0
        info["tokens"] = tokens(info.get("tokens"))
        if "error" in info and (error := complete_error(info.pop("error"))):
            info["error"] = error
        return info


def answering(info: Fields) -> Fields:
    """What a prompt needs to know of its answer."""
    return {
        "agent": text(info.get("agent"), text(info.get("mode"), "build")),
        "providerID": text(info.get("providerID"), UNKNOWN),
        "modelID": text(info.get("modelID"), UNKNOWN),
    }


def _complete_tool(part: Fields, message: Fields) -> Fields:
    part["callID"] = text(part.get("callID"), part["id"])
    part["tool"] = text(part.get("tool"), UNKNOWN)
    state = part["state"] = dict(part["state"]) if isinstance(part.get("state"), dict) else {}
    state.setdefault("status", "pending")
    if not is_object(state.get("input")):
        state["input"] = {}
    if state["status"] == "pending":
        state["raw"] = text(state.get("raw"), "")
        return part
    names = ("start",) if state["status"] == "running" else ("start", "end")
    state["time"] = numbers(state.get("time"), names, message["time"]["created"])
    if state["status"] == "completed":
        state["output"], state["title"] = text(state.get("output"), ""), text(state.get("title"), "")
        state["metadata"] = state["metadata"] if is_object(state.get("metadata")) else {}
    elif state["status"] == "error":
        state["error"] = text(state.get("error"), "")
    return part


def _complete_reasoning(part: Fields, message: Fields) -> Fields:
    part["text"] = text(part.get("text"), "")
    part["time"] = numbers(part.get("time"), ("start",), message["time"]["created"])
    return part


def _complete_text(part: Fields, message: Fields) -> Fields:
    part["text"] = text(part.get("text"), "")
    if "time" in part:
        part["time"] = numbers(part["time"], ("start",), message["time"]["created"])
    return part


def _complete_file(part: Fields, message: Fields) -> Fields:
    part["mime"], part["url"] = text(part.get("mime"), "text/plain"), text(part.get("url"), "")
    return part


def _complete_step_finish(part: Fields, message: Fields) -> Fields:
    part["reason"] = text(part.get("reason"), UNKNOWN)
    part["cost"] = part.get("cost") if isinstance(part.get("cost"), int | float) else 0
    part["tokens"] = tokens(part.get("tokens"))
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
