"""Measuring algorithms against known truth and against bars; `make bench` and its like."""
