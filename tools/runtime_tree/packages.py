"""What the tree is made of: data only. A change here makes the next bootstrap build a new tree."""

from __future__ import annotations

import re

SUITE = "testing"
PYTHON = "3.14"

# Everything else follows from these by their dependencies.
WANTED = (
    "libnode-dev",  # V8's headers, and by its dependency libnodeNNN: V8 itself
    f"libpython{PYTHON}-dev",  # headers for the cffi module
    f"python{PYTHON}-minimal",
    f"python{PYTHON}-venv",
    "python3-pip-whl",
    "libada-url-dev",  # URLs
    "libsimdutf-dev",  # UTF-8, UTF-16, base64
    "libicu-dev",  # legacy encodings
    "libllhttp-dev",
    "libssl-dev",
    "libbrotli1",
    "zlib1g-dev",
    "tzdata",
    "serf",  # cluster membership
    "esbuild",  # bundles the runtime's JavaScript
    "node-fetch",  # for the web-streams-polyfill in it
)

# Dependencies that only matter where packages are installed, not unpacked: scripts, accounts, other runtimes. The C
# library's headers stay out because the machine's compiler brings its own.
UNWANTED = re.compile(
    r"node-.*|nodejs|npm|debconf|netbase|media-types|ca-certificates|"
    r"adduser|passwd|base-passwd|login\.defs|libpam.*|libsemanage.*|libsepol.*|libselinux.*|libaudit.*|libcap-ng0|"
    r"libdb5\.3.*|libdebconfclient0|libacl1|libattr1|libbsd0|libmd0|libcrypt1|libpcre2-8-0|libsystemd0|"
    r"libc6-dev|libc-dev-bin|linux-libc-dev|libcrypt-dev|libc-gconv-modules-extra|libexpat1-dev|libuv1-dev|"
    r"icu-devtools|openssl|python3-setuptools-whl|perl.*|.*-doc"
)

# Parts of packages that nothing reads at run time or compile time, below usr/.
PRUNED_FOLDERS = (
    "share/man",
    "share/locale",
    "share/lintian",
    "share/bug",
    "share/info",
    "share/applications",
    "share/pixmaps",
    "share/icons",
    "share/doc-base",
    "share/bash-completion",
    "lib/systemd",
    "lib/tmpfiles.d",
    "sbin",
)
PRUNED_FILES = (
    "lib/**/*.a",  # nothing is linked statically
    "share/nodejs/**/*.map",
    "lib/python3*/lib-dynload/_dbm.*",  # its library is left out
)

# What is kept of usr/share/doc: what `isolated version --licenses` prints. Some packages name another one's by a link.
LICENCE = "copyright"

# The libraries that the shim calls, by the name before the version.
LINKED_LIBRARIES = ("libnode.so", "libada-url0.so", "libsimdutf.so", "libicui18n.so", "libicuuc.so")

# Headers for the shim, below usr/include. V8's are reached through usr/include/node.
HEADERS = ("ada", "ada.h", "simdutf", "simdutf.h", "unicode", "llhttp.h", "zlib.h", "zconf.h", "openssl")


def is_wanted(package: str) -> bool:
    """Tells whether a package of the closure goes into the tree."""
    return package in WANTED or UNWANTED.fullmatch(package) is None
