"""`adamas.keras` on the backend tensorflow: each check ran in one process of its own."""

from keras_promises import (  # noqa: F401
    folder,
    outcomes,
    test_another_process_continues_exactly,
    test_check,
    test_keras_own_tests_pass,
)

BACKEND = "tensorflow"
