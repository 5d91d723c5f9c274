"""The journal: the durable, hash-chained record of everything that became true, on three SQL dialects and in memory."""
