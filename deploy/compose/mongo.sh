#!/bin/bash
# Starts mongod as the only member of a replica set, which needs a key file once users exist. Nobody else must know the key, so each start makes a new one.
set -euo pipefail
umask 077
head -c 96 /dev/urandom | base64 -w 0 >/tmp/replica-set-key
exec docker-entrypoint.sh mongod --replSet rs0 --keyFile /tmp/replica-set-key --bind_ip_all --quiet "$@"
