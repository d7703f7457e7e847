"""A task tracker on FastAPI, PostgreSQL, MongoDB, Redis and Kafka: what ours is measured beside."""
