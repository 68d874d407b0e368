#!/bin/sh
# Lists the C++ files below a folder of this one, sorted; the second argument limits the depth.
set -eu
cd "$(dirname "$0")"
if [ $# -gt 1 ]; then
  find "$1" -maxdepth "$2" -name '*.cc' | LC_ALL=C sort
else
  find "$1" -name '*.cc' | LC_ALL=C sort
fi
