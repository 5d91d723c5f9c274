"""One folder per broker, all alike; bootstrap.py is the only one that names them."""
