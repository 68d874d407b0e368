"""What goes into the binary and what does not: data only. Patterns are those of fnmatch, `*` takes `/` too.

The folders are as in the runtime tree, so that the supervisor finds everything at the same place in both.
"""

from __future__ import annotations

from tools.runtime_tree import packages

SERF = "usr/bin/serf"
SERF_LAUNCHER = "launchers/serf"
PROGRAM = "usr/bin/isolated"  # Python; the launcher starts it by this name, so that process lists say what it is
LIBRARIES = "usr/lib"
STDLIB = f"usr/lib/python{packages.PYTHON}"
PACKAGES = "usr/lib/python3/dist-packages"  # where Debian's Python looks, outside of virtual environments
DOCUMENTATION = "usr/share/doc"
COMMON_LICENCES = "usr/share/common-licenses"  # what Debian's copyright files refer to
SBOM = "usr/share/sbom.cdx.json"
VERSIONS = "versions.json"

# Python's own library: what the supervisor and its packages never import.
STDLIB_LEFT_OUT = (
    "test/*",
    "*/test/*",
    "*/tests/*",
    "idlelib/*",
    "tkinter/*",
    "turtle*",
    "ensurepip/*",
    "venv/*",
    "lib2to3/*",
    "pydoc*",
    "_pyrepl/*",
    "curses/*",
    "dbm/*",
    "xmlrpc/*",
    "wsgiref/*",
    "config-*",  # for linking with Python
    "build-details*",
    "sitecustomize.py",  # Debian's report of crashes
    "EXTERNALLY-MANAGED",
    "*/__pycache__/*",
    "__pycache__/*",
    # Programs and libraries for people at a terminal, mail, and other operating systems.
    "_android_support.py",
    "_aix_support.py",
    "_apple_support.py",
    "_ios_support.py",
    "_osx_support.py",
    "antigravity.py",
    "bdb.py",
    "cProfile.py",
    "compileall.py",
    "doctest.py",
    "filecmp.py",
    "fileinput.py",
    "ftplib.py",
    "imaplib.py",
    "mailbox.py",
    "modulefinder.py",
    "pdb.py",
    "pickletools.py",
    "plistlib.py",
    "poplib.py",
    "profile.py",
    "pstats.py",
    "pyclbr.py",
    "rlcompleter.py",
    "shelve.py",
    "smtplib.py",
    "tabnanny.py",
    "this.py",
    "timeit.py",
    "trace.py",
    "wave.py",
    "webbrowser.py",
    "xml/*",
    "zipapp.py",
    # In Python what is there in C.
    "_pydatetime.py",
    "_pydecimal.py",
    "_pyio.py",
    # Encodings of China, Japan and Korea: those of programs come from ICU.
    "lib-dynload/_codecs_*",
    "lib-dynload/_multibytecodec*",
    "lib-dynload/_lsprof*",
    # Compiled for tests, or for a terminal's line editing and windows, with libraries that nothing else needs.
    "lib-dynload/_test*",
    "lib-dynload/_ctypes_test*",
    "lib-dynload/_xx*",
    "lib-dynload/xx*",
    "lib-dynload/_curses*",
    "lib-dynload/readline*",
    "lib-dynload/_remote_debugging*",
)

# The packages of requirements/runtime.txt: sources of compiled parts, types, tests, and what only the build needs.
PACKAGES_LEFT_OUT = (
    "*.pyi",
    "*.pyx",
    "*.pxd",
    "*.pxi",
    "*.c",
    "*.h",
    "*/py.typed",
    "*/tests/*",
    "*/testing/*",
    "*/__pycache__/*",
    "__pycache__/*",
    "*.dist-info/RECORD",
    "*.dist-info/INSTALLER",
    "*.dist-info/REQUESTED",
    "*.dist-info/WHEEL",
    "*.dist-info/direct_url.json",
    "*.dist-info/top_level.txt",
    "../*",  # commands
    "cffi/*",  # compiles the binding; what it needs when it runs is _cffi_backend
    "pycparser/*",
    "uvloop/_testbase*",
    "aiohttp/test_utils.py",
    "aiohttp/pytest_plugin.py",
    "multidict/_multidict_py.py",
    # rich's Markdown, which nothing shows; its colours for sources keep Python's.
    "markdown_it/*",
    "mdurl/*",
    "pygments/lexers/[!_p]*",
    "pygments/lexers/_[!_m]*",
    "pygments/lexers/p[!y]*",
    "pydantic/mypy.py",
    "pydantic/v1/*",
    "rich/_win32_console.py",
    "pyroute2/iproute/bsd.py",
    "pyroute2/iproute/darwin.py",
    "pyroute2/iproute/windows.py",
)

# Debian's packages that are inside in another form: node-fetch brings the web streams in the runtime's JavaScript.
BUNDLED = ("node-fetch",)

# Packages of the machine that builds, whose code is linked into the launcher.
LINKED = ("libc6-dev", "libzstd-dev")
