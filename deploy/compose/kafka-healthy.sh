#!/bin/bash
# Succeeds when the broker answers a request, which it does only once it is part of its cluster. Kafka's own tools would start a JVM each time.
set -euo pipefail
exec 3<>/dev/tcp/127.0.0.1/9092
# ApiVersions, version 0: length, key 18, version, correlation id 1, no client id. The answer: length, correlation id, error code 0.
printf '\0\0\0\x0a\0\x12\0\0\0\0\0\x01\xff\xff' >&3
answer=$(timeout 3 dd bs=1 count=10 <&3 2>/dev/null | od -An -v -tx1 | tr -d ' \n')
[[ $answer == *000000010000 ]]
