"""The error of each statistic beside that of its peers, on the same data at the same loss."""
