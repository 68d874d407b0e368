"""Membership through Serf: the only place that knows the agent, its RPC and its limits."""

from supervisor.cluster.serf.errors import AgentError, IdentityRefused
from supervisor.cluster.serf.membership import SerfMembership
from supervisor.cluster.serf.options import SerfOptions

__all__ = ["AgentError", "IdentityRefused", "SerfMembership", "SerfOptions"]
