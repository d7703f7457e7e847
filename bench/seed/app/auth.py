"""Who is asking: accounts in PostgreSQL, tokens that are verified here, and what was revoked in Redis."""

import asyncio
import hashlib
import os
import time
import uuid
from typing import Annotated

import asyncpg
import jwt
from fastapi import APIRouter, Depends, HTTPException, Request, Response
from redis.asyncio import Redis

from .models import Account
from .settings import Settings
from .stores import Stores

TOKEN_SECONDS = 600
VERIFIED_MAX = 10_000
UNAUTHENTICATED = HTTPException(401, "unauthenticated", {"WWW-Authenticate": 'Bearer error="invalid_token"'})

router = APIRouter(prefix="/v1/auth")


class Tokens:
    """
    Signs and verifies. A token is verified once and remembered, and Redis tells of each that is revoked, so that no
    request has to ask.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._verified: dict[str, tuple[str, float]] = {}
        self._revoked: set[str] = set()

    def sign(self, user: str) -> str:
        claims = {"sub": user, "exp": int(time.time()) + TOKEN_SECONDS}
        return jwt.encode(claims, self._secret, algorithm="HS256")

    def user_of(self, token: str) -> str:
        known = self._verified.get(token)
        if known is None:
            known = self._verify(token)
        user, expires_at = known
        if expires_at <= time.time() or token in self._revoked:
            raise UNAUTHENTICATED
        return user

    def _verify(self, token: str) -> tuple[str, float]:
        try:
            claims = jwt.decode(token, self._secret, algorithms=["HS256"])
        except jwt.InvalidTokenError:
            raise UNAUTHENTICATED from None
        if len(self._verified) >= VERIFIED_MAX:
            self._verified.clear()
        known = (claims["sub"], float(claims["exp"]))
        self._verified[token] = known
        return known

    async def hear_revocations(self, cache: Redis, settings: Settings) -> None:
        """For as long as the application runs."""
        channel = settings.key("revoked")
        async with cache.pubsub() as heard:
            await heard.subscribe(channel)
            self._revoked.update(each.decode() for each in await cache.zrange(channel, 0, -1))
            async for message in heard.listen():
                if message["type"] == "message":
                    self._revoked.add(message["data"].decode())


async def token_secret(cache: Redis, settings: Settings) -> bytes:
    """The same in all processes and after a restart."""
    key = settings.key("secret")
    await cache.set(key, os.urandom(32), nx=True)
    return await cache.get(key)


def stores_of(request: Request) -> Stores:
    return request.app.state.stores


def token_of(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme != "Bearer":
        raise UNAUTHENTICATED
    return token


async def user_of(request: Request) -> str:
    return request.app.state.tokens.user_of(token_of(request))


User = Annotated[str, Depends(user_of)]


def hashed(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1)


@router.post("/register", status_code=201)
async def register(account: Account, request: Request) -> dict[str, object]:
    user, salt = str(uuid.uuid4()), os.urandom(16)
    password = salt + await asyncio.to_thread(hashed, account.password, salt)
    insert = "INSERT INTO users (id, email, password) VALUES ($1, $2, $3)"
    try:
        await stores_of(request).users.execute(insert, user, account.email.lower(), password.hex())
    except asyncpg.UniqueViolationError:
        raise HTTPException(409, "email-taken") from None
    return tokens_for(request, user)


@router.post("/login")
async def login(account: Account, request: Request) -> dict[str, object]:
    select = "SELECT id, password FROM users WHERE email = $1"
    found = await stores_of(request).users.fetchrow(select, account.email.lower())
    stored = bytes.fromhex(found["password"]) if found else bytes(80)
    given = await asyncio.to_thread(hashed, account.password, stored[:16])
    if found is None or given != stored[16:]:
        raise HTTPException(401, "invalid-credentials")
    return tokens_for(request, str(found["id"]))


@router.post("/logout", status_code=204)
async def logout(request: Request, _: User) -> Response:
    stores, token = stores_of(request), token_of(request)
    key = stores.settings.key("revoked")
    now = time.time()
    async with stores.cache.pipeline(transaction=True) as pipe:
        pipe.zremrangebyscore(key, 0, now)
        pipe.zadd(key, {token: now + TOKEN_SECONDS})
        pipe.publish(key, token)
        await pipe.execute()
    return Response(status_code=204)


def tokens_for(request: Request, user: str) -> dict[str, object]:
    return {"accessToken": request.app.state.tokens.sign(user), "tokenType": "Bearer", "expiresIn": TOKEN_SECONDS}
