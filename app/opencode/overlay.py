"""Changes to something that is not at hand: values by their ids, in an order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

V = TypeVar("V")


@dataclass
class Overlay(Generic[V]):
    """What was put by id, None for what was deleted in the end; `deleted` has all ids that were deleted.

    What is put again after that comes last, as what is new; otherwise it keeps the place of what it replaces.
    """

    values: dict[str, V | None] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)

    def put(self, id: str, value: V) -> None:
        if self.values.get(id) is None:
            self.values.pop(id, None)
        self.values[id] = value

    def delete(self, id: str) -> None:
        self.values[id] = None
        self.deleted.add(id)

    def put_or_delete(self, id: str, value: V | None) -> None:
        """Puts a value, or deletes what has the id (None)."""
        if value is None:
            self.delete(id)
        else:
            self.put(id, value)

    def applied_to(self, before: Mapping[str, V]) -> dict[str, V]:
        kept = {id: value for id, value in before.items() if id not in self.deleted}
        return {**kept, **dict(self._put())}

    def _put(self) -> Iterator[tuple[str, V]]:
        return ((id, value) for id, value in self.values.items() if value is not None)

    def __bool__(self) -> bool:
        return bool(self.values)
