"""Market rules as dated data, and the few functions that read them: symbols, boards, sessions, fees, instruments.

Nothing here is a constant of the code. A rule is a row with the day it begins, the day it ends, its source, and
when it was verified, if ever; a day outside the rows is refused, never guessed. Tables are read on first use and kept for
the life of the process.
"""
