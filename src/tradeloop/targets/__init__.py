"""Files that say what to hold, read into commands of the core: portfolio.csv and execution_context.json.

A file is accepted as what it means or refused with one sentence that names the file, the place in it and the
remedy; nothing else changes. Whether a well-formed target *may* be traded is not decided here but by
core/run/checks.py, where it is journalled.
"""
