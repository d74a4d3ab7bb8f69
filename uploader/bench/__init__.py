"""What `run.py bench` measures, besides the uploads that the sandbox compares: one file for each command."""
