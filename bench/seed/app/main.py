"""The HTTP side: `python -m app.main` listens on a free port of 127.0.0.1 and prints its URL when it can be asked."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI

from . import auth, tasks
from .settings import read_settings
from .stores import open_stores

listener = socket.create_server(("127.0.0.1", 0), backlog=2_048)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    settings = read_settings()
    async with open_stores(settings) as stores:
        app.state.stores = stores
        app.state.tokens = auth.Tokens(await auth.token_secret(stores.cache, settings))
        hearing = asyncio.create_task(app.state.tokens.hear_revocations(stores.cache, settings))
        print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
        yield
        hearing.cancel()


app = FastAPI(lifespan=lifespan)
app.include_router(auth.router)
app.include_router(tasks.router)

if __name__ == "__main__":
    config = uvicorn.Config(app, loop="uvloop", http="httptools", access_log=False, log_level="warning")
    uvicorn.Server(config).run(sockets=[listener])
