#!/bin/bash
# Succeeds when mongod is the primary of its replica set; one that has none yet gets it here. It speaks the wire protocol itself, as the shell would take
# a second of a core each time. It asks by the container's name: while mongod makes its first user it has no replica set, or listens on loopback only.
set -euo pipefail

primary() {
  exec 3<>"/dev/tcp/$HOSTNAME/27017" || return 1
  # OP_MSG with the BSON document { hello: 1, $db: "admin" }.
  printf '\x34\0\0\0\x01\0\0\0\0\0\0\0\xdd\x07\0\0\0\0\0\0\0\x1f\0\0\0\x10hello\0\x01\0\0\0\x02$db\0\x06\0\0\0admin\0\0' >&3
  local answer
  answer=$(timeout 3 dd bs=8192 count=1 <&3 2>/dev/null | tr '\0\1' '01' | tr -cd '[:alnum:]')
  exec 3>&-
  [[ $answer == *setName0* && $answer == *isWritablePrimary01* ]]
}

initiate() {
  timeout 8 mongosh --quiet --eval '
    db.getSiblingDB("admin").auth("tracker", fs.readFileSync("/secrets/mongo/password", "utf8"));
    rs.initiate({ _id: "rs0", members: [{ _id: 0, host: "mongo:27017" }] });' >/dev/null
}

primary 2>/dev/null || { initiate && primary; }
