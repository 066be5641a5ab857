"""The parts of messages, as OpenCode 1.x records them."""

from __future__ import annotations

import random
import string
from typing import Any

from benchmarks.code import ENDINGS, LANGUAGES
from benchmarks.samples import Samples

FOLDER = "/home/dev/shop"
START_MILLISECONDS = 1_795_330_902_000
FIRST_SERIAL = 0x2020F8AFA001
# OpenCode cuts what a tool gives back at this size.
LONGEST_OUTPUT_LINES = 700
ALPHANUMERIC = string.ascii_letters + string.digits

Part = dict[str, Any]


class MessageParts:
    """Makes parts and their ids; each is later than the one before."""

    def __init__(self, seed: str) -> None:
        # Not for secrets: the same seed has to make the same session.
        self.rng = random.Random(seed)  # noqa: S311
        self.samples = Samples(self.rng)
        self._serial = FIRST_SERIAL
        self.session_id = self.id("ses")
        self.now = START_MILLISECONDS

    def id(self, kind: str) -> str:
        """A fresh id in OpenCode's form: ascending digits, then random characters."""
        self._serial += 16
        return f"{kind}_{self._serial:012x}{''.join(self.rng.choices(ALPHANUMERIC, k=14))}"

    def later(self) -> int:
        self.now += self.rng.randint(20, 3000)
        return self.now

    def part(self, message_id: str, type: str, **fields: Any) -> Part:
        head = {"id": self.id("prt"), "sessionID": self.session_id, "messageID": message_id, "type": type}
        return {**head, **fields}

    def text(self, message_id: str, text: str) -> Part:
        return self.part(message_id, "text", text=text, time=self._time())

    def reasoning(self, message_id: str) -> Part:
        text = f"**Weighing it**\n\n{self.samples.prose(self.rng.randint(2, 8))}"
        return self.part(message_id, "reasoning", text=text, time=self._time())

    def any_tool(self, message_id: str, longest: int = LONGEST_OUTPUT_LINES) -> Part:
        kinds = (self.bash, self.read, self.edit, self.grep, self.write, self.todowrite)
        [make] = self.rng.choices(kinds, weights=(30, 25, 25, 8, 7, 5))
        return make(message_id, longest)

    def bash(self, message_id: str, longest: int) -> Part:
        is_long = self.rng.random() < 0.04
        output = self.samples.output(longest if is_long else min(longest, self.rng.randint(2, 60)))
        command = f"pytest -q tests/{self.samples.name()}.py 2>&1 | tail -n {self.rng.randint(2, 400)}"
        sent = {"command": command, "description": f"Run the tests of {self.samples.name()}"}
        noted = {"output": output, "exit": self.rng.choice((0, 0, 0, 1)), "truncated": is_long}
        return self._tool(message_id, "bash", sent, output, sent["description"], noted)

    def read(self, message_id: str, longest: int) -> Part:
        path, language = self._file()
        lines = self.samples.code(language, self.rng.randint(2, 16)).split("\n")[:longest]
        numbered = "\n".join(f"{number}: {line}" for number, line in enumerate(lines, start=1))
        output = (
            f"<path>{FOLDER}/{path}</path>\n<type>file</type>\n<content>\n{numbered}\n\n"
            f"(End of file - total {len(lines)} lines)\n</content>"
        )
        preview = "\n".join(lines[:20])
        noted = {"preview": preview, "truncated": False, "loaded": []}
        return self._tool(message_id, "read", {"filePath": f"{FOLDER}/{path}"}, output, path, noted)

    def edit(self, message_id: str, _longest: int) -> Part:
        path, old, new, patch, counts = self.change()
        sent = {"filePath": f"{FOLDER}/{path}", "oldString": old, "newString": new}
        filediff = {"file": f"{FOLDER}/{path}", "patch": patch, **counts}
        noted = {"diagnostics": {}, "diff": patch, "filediff": filediff, "truncated": False}
        return self._tool(message_id, "edit", sent, "Edit applied successfully.", path, noted)

    def write(self, message_id: str, _longest: int) -> Part:
        path, language = self._file()
        content = self.samples.code(language, self.rng.randint(1, 8))
        sent = {"filePath": f"{FOLDER}/{path}", "content": content}
        noted = {"diagnostics": {}, "filepath": f"{FOLDER}/{path}", "exists": False, "truncated": False}
        return self._tool(message_id, "write", sent, "Wrote file successfully.", path, noted)

    def grep(self, message_id: str, _longest: int) -> Part:
        pattern, count = self.samples.name(), self.rng.randint(1, 30)
        found = "\n\n".join(
            f"{FOLDER}/{self._file()[0]}:\n  Line {self.rng.randint(1, 900)}: {self.samples.prose(1)}"
            for _ in range(count)
        )
        output, noted = f"Found {count} matches\n{found}\n", {"matches": count, "truncated": False}
        return self._tool(message_id, "grep", {"pattern": pattern}, output, pattern, noted)

    def todowrite(self, message_id: str, _longest: int) -> Part:
        todos = [
            {"content": self.samples.prose(1), "status": status, "priority": "high"}
            for status in ("completed", "completed", "in_progress", "pending")
        ]
        output = "\n".join(f"{todo['status']}: {todo['content']}" for todo in todos)
        noted = {"todos": todos, "truncated": False}
        return self._tool(message_id, "todowrite", {"todos": todos}, output, "2 todos", noted)

    def change(self) -> tuple[str, str, str, str, dict[str, int]]:
        """A path, the old and the new text, the unified diff between them, and its counts."""
        path, language = self._file()
        lines = self.samples.code(language).rstrip("\n").split("\n")
        at = self.rng.randrange(2, len(lines) - 2)
        removed, added = (
            lines[at : at + 2],
            self.samples.code(language).split("\n")[1 : self.rng.randint(3, 9)],
        )
        before, after = lines[max(0, at - 3) : at], lines[at + 2 : at + 5]
        first, context = self.rng.randint(1, 400), len(before) + len(after)
        hunk = [*(f" {line}" for line in before), *(f"-{line}" for line in removed)]
        hunk += [*(f"+{line}" for line in added), *(f" {line}" for line in after)]
        header = f"Index: {FOLDER}/{path}\n{'=' * 67}\n--- {FOLDER}/{path}\n+++ {FOLDER}/{path}\n"
        span = f"@@ -{first},{context + len(removed)} +{first},{context + len(added)} @@\n"
        patch = header + span + "\n".join(hunk) + "\n"
        counts = {"additions": len(added), "deletions": len(removed)}
        return path, "\n".join(removed), "\n".join(added), patch, counts

    def _tool(
        self, message_id: str, name: str, sent: Part, output: str, title: str, noted: dict[str, Any]
    ) -> Part:
        state = {"status": "completed", "input": sent, "output": output, "title": title, "metadata": noted}
        call = f"call_{self.rng.randrange(10**9, 10**10)}"
        return self.part(message_id, "tool", callID=call, tool=name, state={**state, "time": self._time()})

    def _file(self) -> tuple[str, str]:
        language = self.rng.choice(LANGUAGES)
        return f"src/{self.samples.name()}.{ENDINGS[language]}", language

    def _time(self) -> dict[str, int]:
        return {"start": self.later(), "end": self.later()}
