"""The life of a connection, one request after the other.

    WAITING ──► RECEIVING ──► ANSWERING ──► WAITING ...   a request that came whole: a callback each way, no task
                    ├──► COLLECTING ──► ANSWERING         a small body still arrives; the task gets the request whole
                    ├──► LENT ──► RECEIVING               a body that streams: aiohttp's own start() has the connection
                    └──► CLOSING                          the last answer is said; what still comes in is thrown away

WAITING is RECEIVING with one thing more known: the parser stands exactly between two requests, so that a request whose
head was seen before need not be parsed again (memo.py). Whoever cannot prove that says RECEIVING.

Requests that arrive while another has the connection queue up in arrival order. The parser holds back what comes after
32 of them, so a client pins a bounded amount of memory. After CLOSING nothing is answered any more.
"""

from __future__ import annotations

from enum import Enum


class Phase(Enum):
    """Who has the next move on a connection."""

    WAITING = "the client, to begin a request"
    RECEIVING = "the client, to begin a request or to send the rest of its head"
    COLLECTING = "the client, to send the rest of a small body"
    ANSWERING = "the task, to answer"
    LENT = "aiohttp's start(), to give the connection back"
    CLOSING = "the client, to take the last answer and go"
