"""The lab: problems, trials, statistics, charts and pages, for comparing optimizers honestly.

Everything here stands on the engine and nothing in the engine knows of it. It needs the extra
`adamas[lab]` and is imported only by the commands that use it.
"""
