#!/bin/sh
# Makes a random password for each backend, and a key of webhooks, where there is none yet, in files beside this one.
set -eu
umask 077
cd "$(dirname "$0")"
mkdir -p secrets
for name in postgres mongo redis webhook; do
  [ -s "secrets/$name" ] || head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n' >"secrets/$name"
done
