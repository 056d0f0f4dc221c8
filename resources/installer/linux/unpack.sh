#!/bin/sh
# Puts the parts of a large Continuo archive together and unpacks them: sh NAME-unpack.sh [folder]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
name=$(basename "$0" -unpack.sh)
target=${1:-$here}
mkdir -p "$target"
cat "$here/$name.tar.xz".[0-9][0-9][0-9] | tar --extract --xz --directory "$target"
echo "Continuo is in $target/Continuo: start it with $target/Continuo/continuo"
