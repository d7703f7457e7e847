"""
Tasks. A change goes to Kafka and, so that its author sees it at once, to Redis; the consumer brings it to MongoDB. A
task is read from Redis, a list from MongoDB, and its page is kept in Redis until one of its user's tasks changes.
"""

import asyncio
import uuid
from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, HTTPException, Query, Request, Response

from .auth import User, stores_of
from .models import NewTask, TaskPatch
from .stores import PAGE_ORDER, Stores

CACHED_SECONDS = 3_600

router = APIRouter(prefix="/v1/tasks")


def now_text() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def json_answer(text: bytes, status: int = 200) -> Response:
    return Response(text, status, media_type="application/json")


def task_key(stores: Stores, user: str, task: str) -> str:
    return stores.settings.key("task", user, task)


def pages_key(stores: Stores, user: str) -> str:
    return stores.settings.key("pages", user)


async def append(stores: Stores, user: str, task: dict[str, Any]) -> bytes:
    """To Kafka and Redis at the same time. A user's changes are in one partition, and so stay in their order."""
    text = orjson.dumps(task)
    pipe = stores.cache.pipeline(transaction=False)
    pipe.set(task_key(stores, user, task["id"]), text, ex=CACHED_SECONDS)
    pipe.delete(pages_key(stores, user))
    logged = stores.log.send_and_wait(stores.settings.topic, text, key=user.encode())
    await asyncio.gather(logged, pipe.execute())
    return text


async def stored(stores: Stores, user: str, task: str) -> bytes:
    text = await stores.cache.get(task_key(stores, user, task))
    if text is not None:
        return text
    found = await stores.tasks.find_one({"_id": task, "user": user}, {"json": 1})
    if found is None:
        raise HTTPException(404, "not-found")
    await stores.cache.set(task_key(stores, user, task), found["json"], ex=CACHED_SECONDS, nx=True)
    return found["json"]


@router.post("")
async def create(body: NewTask, request: Request, user: User) -> Response:
    at = now_text()
    task = {
        "id": str(uuid.uuid4()),
        "creatorId": user,
        "version": 1,
        "createdAt": at,
        "updatedAt": at,
        **body.model_dump(),
    }
    return json_answer(await append(stores_of(request), user, task), 201)


@router.get("/{task}")
async def get(task: str, request: Request, user: User) -> Response:
    return json_answer(await stored(stores_of(request), user, task))


@router.patch("/{task}")
async def patch(task: str, body: TaskPatch, request: Request, user: User) -> Response:
    """Of two changes at the same moment the later one wins."""
    stores = stores_of(request)
    before = orjson.loads(await stored(stores, user, task))
    after = before | body.model_dump(exclude_unset=True)
    after |= {"version": before["version"] + 1, "updatedAt": now_text()}
    return json_answer(await append(stores, user, after))


@router.get("")
async def page(
    request: Request,
    user: User,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
    updated_after: Annotated[str | None, Query(alias="updatedAfter")] = None,
) -> Response:
    stores = stores_of(request)
    pages, query = pages_key(stores, user), f"{limit} {updated_after or ''}"
    kept = await stores.cache.hget(pages, query)
    if kept is not None:
        return json_answer(kept)
    asked: dict[str, Any] = {"user": user}
    if updated_after is not None:
        asked["updatedAt"] = {"$gt": updated_after}
    found = await stores.tasks.find(asked, {"json": 1}).sort(PAGE_ORDER[1:]).limit(limit).to_list(limit)
    text = b'{"items":[' + b",".join(each["json"] for each in found) + b'],"nextCursor":null}'
    keep = stores.cache.pipeline(transaction=False)
    keep.hset(pages, query, text)
    keep.expire(pages, CACHED_SECONDS)
    await keep.execute()
    return json_answer(text)
