"""Where the servers are, from the same environment variables as the system that this is measured beside."""

import os
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    database_url: str
    mongo_url: str
    redis_url: str
    kafka_brokers: str
    namespace: str
    partitions: int

    @property
    def topic(self) -> str:
        return f"{self.namespace}.tasks"

    @property
    def consumers(self) -> str:
        return f"{self.namespace}.consumers"

    def key(self, *parts: str) -> str:
        """A key in Redis."""
        return ":".join((self.namespace, *parts))


def read_settings() -> Settings:
    return Settings(
        database_url=os.environ["DATABASE_URL"],
        mongo_url=os.environ["MONGO_URL"],
        redis_url=os.environ["REDIS_URL"],
        kafka_brokers=os.environ["KAFKA_BROKERS"],
        namespace=os.environ["TT_NAMESPACE"],
        partitions=int(os.environ["TT_PARTITIONS"]),
    )
