#!/bin/sh
# Sees to it that each folder of $1 holds a password: the one given as $2/<folder>, else 32 random bytes in hex. What is there stays.
set -eu
umask 022
for folder in "$1"/*/; do
  name=$(basename "$folder")
  kept=${folder}password
  given=$2/$name
  password=
  if [ -e "$given" ]; then
    password=$(cat "$given")
    case $password in
      '' | *[!A-Za-z0-9._~+/=-]*) echo "Cannot take the given password of $name: it must be letters, digits and . _ ~ + / = - only" >&2; exit 1 ;;
    esac
  fi
  if [ -s "$kept" ]; then
    if [ -n "$password" ] && [ "$password" != "$(cat "$kept")" ]; then
      echo "Cannot take the given password of $name: its data was made with another one; change it there first (docs/containers.md)" >&2
      exit 1
    fi
    continue
  fi
  [ -n "$password" ] || password=$(head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n')
  # Whole or not at all, and on disk before a database is made with it.
  printf %s "$password" >"$kept.new"
  sync "$kept.new"
  mv "$kept.new" "$kept"
  sync "$folder"
done
