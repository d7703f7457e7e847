#!/bin/sh
# Starts Redis as a cache: nothing on disk, the oldest goes first. The password is read from its file, so that no list of processes shows it.
set -eu
umask 077
printf 'requirepass "%s"\n' "$(cat /secrets/redis/password)" >/tmp/redis.conf
exec redis-server /tmp/redis.conf --save '' --appendonly no --maxmemory 128mb --maxmemory-policy allkeys-lru
