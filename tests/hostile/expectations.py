"""What each script may lead to: data. Whatever is not named may not lose a thread."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """The classes of ends."""

    ENDED = "ended"  # by a limit of the host
    THREW = "threw"  # by an exception of its own
    RETURNED = "returned"  # it came to its end, or went on within its limits until it was told to end
    PARKED = "parked"  # V8 could not go on, or did not stop: its thread is lost
    STUCK = "stuck"  # none of these in time: never allowed
    CRASHED = "crashed"  # the process died: never allowed


ORDINARY = frozenset({Outcome.ENDED, Outcome.THREW, Outcome.RETURNED})

# What V8 13.6 cannot be stopped in, or cannot go on after, by why it parks. Every name here is a thread lost each time,
# so the lists may only become shorter. Which of two reasons a script meets first may depend on the machine.
# One allocation on the heap larger than what is left: V8 calls its out-of-memory handler, which cannot return.
_HEAP_LIMIT = """
apply arr-from arr-splice base64-decode bigint-as-int bigint-parse bigint-parse-hex bigint-shift clone-string
console-huge date-parse decode-uri error-message escape-big json-indent json-parse-big json-parse-str len-apply len-fill
len-reflect-construct len-to-spliced len-with localeCompare map oom-map-grow oom-spread-repeat parse-int-big
proxy-own-keys replace-dollar serve-huge-text serve-long-header spread str-flatten-2byte str-indexof string-compare
string-locale-upper string-replace-fn string-search-two-byte string-split string-upper-sharp string-well-formed
url-search-params wasm-table wasm-table-grow wasm-tags
"""
# V8's own malloc and zones (parser, compiler, ICU) past the hard ceiling: nothing there can be refused.
_EXTERNAL_LIMIT = """
base64-big encode-uri intl-segment-grapheme normalize parse-long-comma parse-long-sum parse-many-functions
parse-private-names string-raw
"""
# Built-ins that loop without looking for the order to terminate, and loops of calls that take long: V8 looks for it
# once in many turns of a loop, which on a busy machine may take longer than a thread is waited for.
_UNRESPONSIVE = """
ab-loop-catch ab-transfer arr-indexof-len arr-lastindexof-len arr-reverse-len array-holes-reverse array-sparse-sort
copyWithin-len join-sparse len-flat len-includes len-reduce len-slice len-splice len-unshift stacktrace-limit
typed-copy-within typed-fill typed-index-of wasm-memory-grow
"""
# V8 checks, and gives up.
_ABORTED = """
import-parallel import-self-endless len-sort toSorted-len
"""
MAY_PARK = frozenset(" ".join((_HEAP_LIMIT, _EXTERNAL_LIMIT, _UNRESPONSIVE, _ABORTED)).split())


def allowed(script: str) -> frozenset[Outcome]:
    """The outcomes that are fine for a script, by its name without the ending."""
    return ORDINARY | {Outcome.PARKED} if script in MAY_PARK else ORDINARY
