"""A run turns a target portfolio into orders: checked (checks), planned (plan), released wave by wave
(release).

The three files are pure functions over plain values. What a run is and what became of it lives in the state;
what may happen to it is decided in core/decide.py, which calls them.
"""
