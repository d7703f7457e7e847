"""Connections to the four servers, open as long as the application is."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
from aiokafka import AIOKafkaProducer
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection
from redis.asyncio import Redis

from .settings import Settings

USERS = """
CREATE TABLE IF NOT EXISTS users (
    id uuid PRIMARY KEY,
    email text NOT NULL UNIQUE,
    password text NOT NULL
)
"""
PAGE_ORDER = [("user", 1), ("createdAt", -1), ("_id", -1)]


@dataclass(frozen=True, slots=True)
class Stores:
    settings: Settings
    users: asyncpg.Pool
    tasks: AsyncIOMotorCollection[dict[str, Any]]
    cache: Redis
    log: AIOKafkaProducer


def tasks_of(mongo: AsyncIOMotorClient[dict[str, Any]]) -> AsyncIOMotorCollection[dict[str, Any]]:
    return mongo.get_default_database()["tasks"]


@asynccontextmanager
async def open_stores(settings: Settings) -> AsyncIterator[Stores]:
    mongo: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(settings.mongo_url)
    cache = Redis.from_url(settings.redis_url)
    log = AIOKafkaProducer(
        bootstrap_servers=settings.kafka_brokers,
        acks="all",
        enable_idempotence=True,
    )
    async with asyncpg.create_pool(settings.database_url, min_size=1, max_size=5) as users:
        await users.execute(USERS)
        tasks = tasks_of(mongo)
        await tasks.create_index(PAGE_ORDER)
        await log.start()
        try:
            yield Stores(settings, users, tasks, cache, log)
        finally:
            await log.stop()
            await cache.aclose()
            mongo.close()
