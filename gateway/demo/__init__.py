"""Made-up data for a first look: two datasets, always the same, written in a few seconds."""
