"""How fast tasks may send: HTB classes of the kernel, chosen by SO_PRIORITY. The only package that knows pyroute2.

A socket whose SO_PRIORITY is the number of a class is held to the class's rate by the kernel, with no filter. What has
no such priority (other programs, tasks without a limit) passes HTB's direct queue and is not slowed: HTB's default is
therefore no class. That is also where the traffic of a class goes that is deleted, so a class that is not needed any
more stays, with its limit, until no socket of the machine carries its number: see book.py.
"""

from supervisor.limits.shaping.shaper import Shaper
from supervisor.limits.shaping.values import EgressUsage, Held, ShapingOptions

__all__ = ["EgressUsage", "Held", "Shaper", "ShapingOptions"]
