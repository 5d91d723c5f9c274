"""Market data: recorded, made up, and the last quote of each symbol with its age."""
