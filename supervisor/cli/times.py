"""How long an answer of the host may take, in seconds."""

ANSWER_S = 30.0  # what the host knows at once; generous, for a host that is short of CPU time
LONG_S = 300.0  # what boots, drains (30 s unless set otherwise) or hands over (60 s and the boots)
