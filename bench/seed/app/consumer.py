"""`python -m app.consumer` writes what Kafka has to MongoDB, a batch at a time, and prints a line when it has begun."""

import asyncio
import contextlib
import signal
from typing import Any

import orjson
import uvloop
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import InsertOne, ReplaceOne
from pymongo.errors import BulkWriteError
from redis.asyncio import Redis

from .settings import Settings, read_settings
from .stores import tasks_of

RECORDS_MAX = 1_000
DUPLICATE_KEY = 11_000


async def make_topic(settings: Settings) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_brokers)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(settings.topic, settings.partitions, 1)])
    except TopicAlreadyExistsError:
        pass
    finally:
        await admin.close()


def write_of(user: str, text: bytes) -> tuple[str, InsertOne[dict[str, Any]] | ReplaceOne[dict[str, Any]]]:
    """What is there already when a first version comes is the same or newer: it was delivered before."""
    task = orjson.loads(text)
    document = {
        "_id": task["id"],
        "user": user,
        "createdAt": task["createdAt"],
        "updatedAt": task["updatedAt"],
        "json": text,
    }
    if task["version"] == 1:
        return task["id"], InsertOne(document)
    return task["id"], ReplaceOne({"_id": task["id"]}, document, upsert=True)


async def run() -> None:
    settings = read_settings()
    await make_topic(settings)
    tasks = tasks_of(AsyncIOMotorClient(settings.mongo_url))
    cache = Redis.from_url(settings.redis_url)
    consumer = AIOKafkaConsumer(
        settings.topic,
        bootstrap_servers=settings.kafka_brokers,
        group_id=settings.consumers,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_poll_records=RECORDS_MAX,
    )
    await consumer.start()
    print("consuming", flush=True)
    try:
        while True:
            batches = await consumer.getmany(timeout_ms=1_000)
            records = [record for batch in batches.values() for record in batch]
            if not records:
                continue
            # The last state of each task is all that MongoDB needs.
            writes = dict(write_of(record.key.decode(), record.value) for record in records)
            try:
                await tasks.bulk_write(list(writes.values()), ordered=False)
            except BulkWriteError as error:
                if any(each["code"] != DUPLICATE_KEY for each in error.details["writeErrors"]):
                    raise
            # A page that was read before this and kept after the change would be an old one.
            await cache.delete(*{settings.key("pages", record.key.decode()) for record in records})
            await consumer.commit()
    finally:
        await consumer.stop()


async def main() -> None:
    running = asyncio.ensure_future(run())
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, running.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await running


if __name__ == "__main__":
    uvloop.run(main())
