"""The same work done by peers. Each file runs in a virtual environment of its own (`.bench/NAME`) and imports nothing of
ours.
"""
