"""Programs that listen to the public protocol and to nothing else."""
