"""A simulated world that tries to make us lose an order or send one twice.

loop        virtual time, event loops that can be killed
clock       what time it is, and what time a process believes it is
store       what a world keeps its journal on: one of the next two
disk        a journal that is played, with its disk, its lease and its fail-overs
sqlite      the product's journal on real SQLite, what the judge sees of it, and what this cannot see
housing     what a machine gives the journal of one process
machine     the disk below SQLite: what is synced, and what a power failure leaves
vfs         SQLite's way to that disk
venue       the paper broker, behind the abilities a seed declares
network     the line between us and the venue
wire        the broker port of one process, over the line
market      prices
process     the production engine as one process of the world
supervisor  who starts, kills and stops processes
operators   who asks for runs, orders and cancels
halts       who stops the desk, and releases it
hurry       who cancels right behind an order, and latches in a burst
limits      which seeds live under limits of risk, and under which
risk_desk   who sets and changes limits, and orders in bursts that meet them
life        one seed, from building to judgement

The engine, the journal's codec, the runs, the reconciliation and the paper broker are the product's, unchanged.
"""
