"""What `adamas compare`, `find-lr` and `suite` say in the terminal, in English."""

ENGLISH_COMPARE = {
    "compare_measuring": "measuring how long a run takes",
    "compare_looking": "looking inside the steps",
    "compare_plan": (
        "Plan {hash}: {optimizers} on {problem}. Each is tuned on {rates} learning rates x "
        "{tuning} seeds (a quarter of the steps), refined on {refine} other seeds, and judged on "
        "{report} fresh ones, at the rates that those seeds choose when drawn again, beside its "
        "default rate: {runs} runs, about {time} min."
    ),
    "compare_stage_search": "tuning",
    "compare_stage_report": "judging on fresh seeds",
    "compare_progress": "run {done} of {runs}, {stage}",
    "compare_progress_left": "run {done} of {runs}, {stage}, about {left} min left",
    "compare_row": "{name:12} lr {lr:<8} loss {value}  {word}",
    "compare_in_vain": (
        "No learning rate lowered the loss of {names} by more than {least} %; the page says what "
        "may help."
    ),
    "compare_done": "{seconds:.0f} s. Open the page in a browser: {page}",
    "compare_numbers": "All numbers as JSON: {numbers}",
    "compare_interrupted": (
        "Interrupted. {kept} runs are kept in {out}; the same command goes on from there."
    ),
    "compare_damaged": (
        "Damaged lines of {path} were left out ({count}, the first is line {line}); those runs are "
        "made again."
    ),
    "compare_worse": "{names}: worse than {reference} by more than {limit:g} %",
    "find_running": "finding a learning rate for {optimizer} on {problem}: run {done}",
    "find_answer": (
        "{optimizer}: lr {lr}; from {low} to {high} nothing could be told from it. "
        "It cost as much as {cost:.1f} full runs."
    ),
    "suite_skipped": "left out {problem}: {reason}",
}
