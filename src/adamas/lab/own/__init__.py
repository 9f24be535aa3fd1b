"""The user's own problems: a table that nobody prepared, arrays, or a Python file.

`spec` says what was named on the command line and finds it, `table`, `parquet` and `arrays` read,
`columns` and `target` decide what each column is, `features` turns columns into numbers,
`tabular_task` trains on them, and `from_python` with `adapters` takes the user's own code.
"""
