"""Readers of data that other packages ship: checked against a checksum, never downloaded."""
