"""What the engine needs of the world, as Protocols and nothing else."""
