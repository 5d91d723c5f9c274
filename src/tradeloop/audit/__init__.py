"""What a person can take away and check: the artefacts of a run, and later the trail behind every fill."""
