"""The single writer and its neighbours: the only asyncio that touches State.

inbox       one bounded queue; full means refuse, never drop
writer      decide, evolve, commit; nothing leaves before it is durable
dispatch    effects to brokers, side by side, each under its time-out
wire        a broker's rate, and cancels before orders
guard       what a halt stops at the wire; cancels without a journal
comparator  what leaves is what was decided
latch       the file that stops the desk when nothing else works
damper      repeats of one alert are a count
sessions    brokers connected, tried again, and closed
timers      due times; a restart forgets none
recover     snapshot and tail to State: start and crash are this one path
lease       keeps the right to write
supervise   what ends the process, and how
clock       the only file that reads the time
engine      all of it, wired
"""
