"""Random changes of a session, as OpenCode and the plugin make them."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from typing import Any

Json = dict[str, Any]


class RandomChanges:
    """Batches of items for a document of either generation, which `document` always equals in content."""

    def __init__(self, document: Json, seed: int) -> None:
        self._random = random.Random(seed)
        self._session = copy.deepcopy(document["session"])
        self._id = self._session["id"]
        self._samples = copy.deepcopy(document["messages"])
        self._messages = {_id_of(message): message for message in copy.deepcopy(document["messages"])}
        self._children = {child["session"]["id"]: copy.deepcopy(child) for child in document["children"]}
        self._sample_children = copy.deepcopy(document["children"])
        self._number = 0
        self._is_v2 = "info" not in self._samples[0]

    def batch(self) -> list[Json]:
        kinds: list[Callable[[], list[Json]]] = [
            *[self._append] * 4,
            *[self._change] * 4,
            self._insert,
            self._delete,
            self._record_diffs,
            self._undo,
            self._rename,
            self._put_child,
            *[self._change_child] * 2,
            self._delete_child,
            self._session_diff,
            self._models,
            self._unknown,
        ]
        if not self._is_v2:
            kinds += [self._message_item, self._part_item]
        count = self._random.choice((1, 1, 1, 2, 5))
        return [item for _ in range(count) for item in self._random.choice(kinds)()]

    def _append(self) -> list[Json]:
        return [self._put(self._new_message(self._last_time() + self._random.randint(0, 90_000)))]

    def _insert(self) -> list[Json]:
        return [self._put(self._new_message(self._random.randint(0, self._last_time())))]

    def _change(self) -> list[Json]:
        message = copy.deepcopy(self._any())
        self._edit(message)
        return [self._put(message)]

    def _edit(self, message: Json) -> None:
        parts = message.get("content", message.get("parts"))
        if parts and self._random.random() < 0.3:
            parts.pop()
        elif parts is not None:
            parts.append(self._text(_id_of(message)))
        if self._random.random() < 0.2:
            owner = message.get("info", message)
            owner["error"] = {"name": "APIError", "data": {"message": self._random.choice("ab")}}

    def _delete(self) -> list[Json]:
        if len(self._messages) < 2:
            return []
        message = self._any()
        item = {"type": "delete_message", "data": {"id": _id_of(message)}}
        del self._messages[_id_of(message)]
        # As after an undo that was taken back.
        return [item, self._put(message)] if self._random.random() < 0.3 else [item]

    def _record_diffs(self) -> list[Json]:
        message = copy.deepcopy(self._any())
        if self._is_v2:
            return []
        diffs = [{"file": f"f{self._random.randint(1, 9)}.py", "patch": "", "additions": 1, "deletions": 2}]
        message["info"]["summary"] = {"diffs": diffs * self._random.randint(0, 2)}
        return [self._put(message)]

    def _undo(self) -> list[Json]:
        self._session.pop("revert", None)
        if self._random.random() < 0.6:
            self._session["revert"] = {"messageID": _id_of(self._any())}
        return [{"type": "session", "data": copy.deepcopy(self._session)}]

    def _rename(self) -> list[Json]:
        self._session["title"] = self._random.choice(("", "New session - 2026-01-01T00:00:00.000Z", "Own"))
        return [{"type": "session", "data": copy.deepcopy(self._session)}]

    def _message_item(self) -> list[Json]:
        info = copy.deepcopy(self._any()["info"])
        info["cost"] = self._random.random()
        if id := self._messages.get(info["id"]):
            id["info"] = info
        return [{"type": "message", "data": info}]

    def _part_item(self) -> list[Json]:
        message = self._any()
        part = self._text(_id_of(message))
        message["parts"].append(part)
        items = [{"type": "part", "data": part}]
        if self._random.random() < 0.3:
            new = self._new_message(self._last_time() + 1)
            early = self._text(_id_of(new))
            self._messages[_id_of(new)] = new
            # Its message comes later.
            return [*items, {"type": "part", "data": early}, {"type": "message", "data": new["info"]}]
        return items

    def _put_child(self) -> list[Json]:
        child = copy.deepcopy(self._random.choice(self._sample_children))
        if self._random.random() < 0.5:
            self._number += 1
            child["session"]["id"] += f"x{self._number}"
            for message in child["messages"]:
                _rename(message, f"{_id_of(message)}x{self._number}")
        self._children[child["session"]["id"]] = child
        return [{"type": "put_child", "data": copy.deepcopy(child)}]

    def _change_child(self) -> list[Json]:
        if not self._children:
            return []
        child = self._random.choice([*self._children.values()])
        id = child["session"]["id"]
        match self._random.randint(0, 2):
            case 0:
                child["session"]["title"] = f"Title {self._random.randint(1, 99)}"
                return [{"type": "put_child_session", "data": copy.deepcopy(child["session"])}]
            case 1 if child["messages"]:
                gone = child["messages"].pop(self._random.randrange(len(child["messages"])))
                return [{"type": "delete_child_message", "data": {"sessionID": id, "id": _id_of(gone)}}]
            case _:
                message = copy.deepcopy(self._random.choice(self._sample_children)["messages"][-1])
                self._number += 1
                if self._random.random() < 0.5 and child["messages"]:
                    message = copy.deepcopy(self._random.choice(child["messages"]))
                    self._edit(message)
                else:
                    _rename(message, f"msg_child{self._number}")
                child["messages"] = [one for one in child["messages"] if _id_of(one) != _id_of(message)] + [
                    message
                ]
                data = {"sessionID": id, "message": copy.deepcopy(message)}
                return [{"type": "put_child_message", "data": data}]

    def _delete_child(self) -> list[Json]:
        if not self._children:
            return []
        id = self._random.choice([*self._children])
        del self._children[id]
        return [{"type": "delete_child", "data": {"id": id}}]

    def _session_diff(self) -> list[Json]:
        diff = {"file": f"s{self._random.randint(1, 9)}.py", "patch": "", "additions": 3, "deletions": 1}
        return [{"type": "session_diff", "data": [diff] * self._random.randint(0, 1)}]

    def _models(self) -> list[Json]:
        model = {"id": "acme-coder-1", "providerID": "lab", "name": f"Coder {self._random.randint(1, 9)}"}
        return [{"type": "model", "data": [model]}]

    def _unknown(self) -> list[Json]:
        return [{"type": "todo", "data": {"id": str(self._random.randint(1, 3)), "done": True}}]

    def _put(self, message: Json) -> Json:
        self._messages[_id_of(message)] = message
        return {"type": "put_message", "data": copy.deepcopy(message)}

    def _any(self) -> Json:
        """Most often one of the last messages."""
        messages = [*self._messages.values()]
        return self._random.choice(messages[-3:] if self._random.random() < 0.6 else messages)

    def _new_message(self, created: int) -> Json:
        self._number += 1
        message = copy.deepcopy(self._random.choice(self._samples))
        _rename(message, f"msg_new{self._random.randint(10, 99)}{self._number}")
        message.get("info", message)["time"] = {"created": created, "completed": created + 500}
        return message

    def _text(self, message_id: str) -> Json:
        self._number += 1
        text = f"Number {self._number} " * self._random.choice((1, 20, 3000))
        id = f"prt_{self._random.randint(1, 99)}x{self._number}"
        return {"id": id, "messageID": message_id, "sessionID": self._id, "type": "text", "text": text}

    def _last_time(self) -> int:
        return max(int(one.get("info", one)["time"]["created"]) for one in self._messages.values())


def _id_of(message: Json) -> str:
    id: str = message.get("info", message)["id"]
    return id


def _rename(message: Json, id: str) -> None:
    message.get("info", message)["id"] = id
    for part in message.get("parts", []):
        part["messageID"] = id
