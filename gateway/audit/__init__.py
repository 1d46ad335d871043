"""What an auditor takes away and checks: signatures, checkpoints, exports."""
