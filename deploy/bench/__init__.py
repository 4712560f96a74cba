"""How fast the system is, beside the least work that would do: `langnghe bench`.

Three lanes carry the same events on the same servers, in turns, within one run: `ours` is the
real services; `bare` (deploy/bench/bare.py) is plain nats-py and motor, the lower bound of work;
`naive` (deploy/bench/naive.py) is FastStream one event at a time. Figures of two runs are not to
be compared, ratios within one are; processor time per event is the steadier figure.
"""
