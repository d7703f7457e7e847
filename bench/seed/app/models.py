"""What clients send."""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Status(StrEnum):
    todo = "todo"
    in_progress = "in_progress"
    done = "done"
    cancelled = "cancelled"


class Priority(StrEnum):
    none = "none"
    low = "low"
    medium = "medium"
    high = "high"
    urgent = "urgent"


Title = Annotated[str, Field(min_length=1, max_length=500)]
Description = Annotated[str, Field(max_length=20_000)]
Label = Annotated[str, Field(min_length=1, max_length=50)]
Labels = Annotated[list[Label], Field(max_length=20)]


class NewTask(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: Title
    description: Description = ""
    status: Status = Status.todo
    priority: Priority = Priority.none
    labels: Labels = []


class TaskPatch(BaseModel):
    """Fields that are not sent stay as they are."""

    model_config = ConfigDict(extra="forbid")

    title: Title = ""
    description: Description = ""
    status: Status = Status.todo
    priority: Priority = Priority.none
    labels: Labels = []


class Account(BaseModel):
    email: Annotated[str, Field(min_length=3, max_length=254)]
    password: Annotated[str, Field(min_length=8, max_length=1_024)]
