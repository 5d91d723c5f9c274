"""What each fact does to the state, by what it is about: one function per event, listed in core/evolve.py."""
