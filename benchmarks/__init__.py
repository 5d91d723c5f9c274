"""What Tradeloop costs, beside what its peers cost, in one interleaved run (`make bench`).

Every case checks its own result: a rate whose books are wrong is not a rate.
"""
