"""Views of calls in which the agent plans, asks, loads skills and delegates."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from app.opencode.model import Tool
from app.render.filters import plural
from app.render.text.block_texts import as_json, fields_of
from app.render.tools.fields import between, read_fields, read_lists
from app.render.tools.view import (
    ChecklistSection,
    CodeSection,
    MarkdownSection,
    Option,
    Question,
    QuestionsSection,
    Section,
    SubagentSection,
    Todo,
    ToolView,
)

MAX_ITEMS = 200
MAX_QUESTIONS = 50
MAX_OPTIONS = 50
PLAN_ACTIONS = {"plan_enter": "Enter plan mode", "plan_exit": "Leave plan mode"}


class _Todo(msgspec.Struct):
    content: str = ""
    status: str = ""
    priority: str = ""


class _Todos(msgspec.Struct):
    todos: list[_Todo] = []


class _Task(msgspec.Struct):
    description: str = ""
    prompt: str = ""
    subagent_type: str = ""
    agent: str = ""


class _Option(msgspec.Struct):
    label: str = ""
    description: str = ""


class _Question(msgspec.Struct):
    question: str = ""
    header: str = ""
    options: list[_Option] = []


class _Questions(msgspec.Struct):
    questions: list[_Question] = []


class _Answers(msgspec.Struct):
    answers: list[list[str]] = []


class _Skill(msgspec.Struct):
    name: str = ""
    skill: str = ""


class _Plan(msgspec.Struct):
    plan: str = ""


class _Move(msgspec.Struct):
    directory: str = ""


class _Invalid(msgspec.Struct):
    tool: str = ""
    error: str = ""


def todos_view(tool: Tool) -> ToolView:
    """The todo list after the call."""
    recorded = read_lists(tool.metadata, _Todos).todos
    todos = recorded or read_lists(tool.input, _Todos).todos
    done = sum(todo.status == "completed" for todo in todos)
    items = [Todo(todo.content, todo.status, todo.priority) for todo in todos[:MAX_ITEMS]]
    hidden = max(0, len(todos) - MAX_ITEMS)
    return ToolView(
        "Todos", facts=[f"{done} of {len(todos)} done"], sections=[ChecklistSection(items, hidden)]
    )


def task_view(tool: Tool) -> ToolView:
    """The prompt and the result of a sub-agent, and its own conversation."""
    task = read_fields(tool.input, _Task)
    prompt = MarkdownSection("input.prompt", task.prompt, "Prompt")
    result = MarkdownSection("output", _result(tool.output), "Result") if tool.output else None
    agent = task.subagent_type or task.agent
    child = SubagentSection(tool.child_id, prompt, result)
    return ToolView("Task", task.description, facts=[agent] if agent else [], sections=[child])


def question_view(tool: Tool) -> ToolView:
    """What the agent asked, and the answers."""
    asked = read_lists(tool.input, _Questions).questions
    answers = read_lists(tool.metadata, _Answers).answers
    questions = [
        _with_answers(question, answers[index] if index < len(answers) else ())
        for index, question in enumerate(asked[:MAX_QUESTIONS])
    ]
    lists = [question.options for question in asked[:MAX_QUESTIONS]], answers[:MAX_QUESTIONS]
    is_cut = len(asked) > MAX_QUESTIONS or any(len(each) > MAX_OPTIONS for kind in lists for each in kind)
    subject = asked[0].question if len(asked) == 1 else plural(len(asked), "question")
    return ToolView("Ask", subject, sections=[QuestionsSection(questions, is_cut)])


def skill_view(tool: Tool) -> ToolView:
    skill = read_fields(tool.input, _Skill)
    sections: list[Section] = [CodeSection("output", tool.output, "markdown")] if tool.output else []
    return ToolView("Skill", skill.name or skill.skill, sections=sections)


def session_move_view(tool: Tool) -> ToolView:
    """A session that goes on in another folder."""
    sections: list[Section] = [CodeSection("output", tool.output)] if tool.output else []
    return ToolView("Move session", read_fields(tool.input, _Move).directory, sections=sections)


def plan_view(tool: Tool) -> ToolView:
    """The agent that plans takes over, or gives back; what was decided is in the output."""
    plan = read_fields(tool.input, _Plan).plan
    sections: list[Section] = [MarkdownSection("input.plan", plan, "Plan")] if plan else []
    sections += [CodeSection("output", tool.output)] if tool.output else []
    return ToolView(PLAN_ACTIONS.get(tool.name, tool.name), tool.title, sections=sections)


def structured_output_view(tool: Tool) -> ToolView:
    """An answer in the JSON schema that the prompt asked for, which is the input of this call."""
    fields = fields_of(tool.input)
    json = bytes(tool.input).decode(errors="replace")
    sections = [CodeSection("input", as_json(json) or json, "json")] if fields else []
    return ToolView("Structured output", ", ".join(fields), sections=sections)


def invalid_view(tool: Tool) -> ToolView:
    """A call that no tool accepts."""
    call = read_fields(tool.input, _Invalid)
    return ToolView(
        "Invalid call", call.tool, facts=["not run"], sections=[CodeSection("input.error", call.error)]
    )


def _with_answers(question: _Question, answers: Sequence[str]) -> Question:
    options = question.options[:MAX_OPTIONS]
    labels = {option.label for option in question.options}
    given = set(answers)
    return Question(
        question.header,
        question.question,
        [Option(option.label, option.description, option.label in given) for option in options],
        [answer for answer in answers[:MAX_OPTIONS] if answer not in labels],
    )


def _result(output: str) -> str:
    inside = between(output, "<task_result>", "</task_result>")
    return output if inside is None else inside
