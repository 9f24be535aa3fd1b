"""The fair comparison: a plan declared first, equal searches, fresh paired seeds, all runs kept."""
