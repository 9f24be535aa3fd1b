"""The English sentences of a report's second half, and of the pages of find-lr and suite."""

ENGLISH_EVIDENCE = {
    # inside
    "inside_report_title": "Inside the step",
    "inside_none": "No optimizer was looked into in this run.",
    "inside_report_text": (
        "One judged run of each optimizer, seed {seed}, was done again while everything below was "
        "read from its state."
    ),
    "inside_step": (
        "**|update| / lr** is the length of a step in learning rates. Adam divides the mean "
        "gradient by its root mean square: a coordinate whose gradients agree moves by about one "
        "lr, one whose gradients cancel hardly moves."
    ),
    "inside_effective": (
        "**Effective step size**, lr / (sqrt(v_hat) + eps), is what a gradient is multiplied by. "
        "It differs between coordinates: that is what adaptive means."
    ),
    "inside_moments": (
        "**m and v** are moving averages of the gradient and of its square. Where m shrinks faster "
        "than the root of v, gradients have become mostly noise and steps get shorter by "
        "themselves."
    ),
    "fig_steps_title": "Length of a step, in learning rates",
    "fig_steps_note": (
        "Median over all coordinates; shaded up to the 90th percentile for {name}. Dotted: one."
    ),
    "fig_reach_title": "Effective step size",
    "fig_reach_note": (
        "Median over all coordinates; shaded from the 10th to the 90th percentile for {name}, as "
        "far as the picture goes: coordinates without a gradient reach lr / eps."
    ),
    "fig_factors_title": "Bias correction ({name})",
    "fig_factors_note": (
        "The factors on m and v. Both averages start at 0 and are too small at first; the factors "
        "make up for that and fade to one."
    ),
    "fig_m_title": "First moment",
    "fig_m_note": "Root mean square of m over all coordinates.",
    "fig_v_title": "Second moment",
    "fig_v_note": "Root mean square of v over all coordinates.",
    "fig_gradient_title": "Gradient norm",
    "fig_gradient_note": "Euclidean norm of the batch gradient over all parameters.",
    "fig_ratio_title": "Update beside weight ({name})",
    "fig_ratio_note": (
        "Norm of the update divided by the norm of the parameter, for the parameters that move "
        "most. Around one in a thousand is usual; near one the weights are rewritten at each step."
    ),
    "axis_steps": "|update| / lr",
    "axis_reach": "effective step size",
    "axis_m": "rms of m",
    "axis_v": "rms of v",
    "axis_gradient": "gradient norm",
    "axis_ratio": "|update| / |weight|",
    # doctor
    "doctor_title": "What went wrong, and what to try",
    "doctor_text": (
        "Runs that diverged, overfitted, stalled or fell short were done again with every step "
        "recorded."
    ),
    "doctor_none": "No run needed a doctor.",
    "doctor_note": "Advice is a first thing to try, derived from these numbers, and was not run.",
    "doctor_run": "{name}, lr {lr}, seed {seed}.",
    "doctor_diverged": "The run diverged.",
    "doctor_rose": "The run ended above the loss it started from.",
    "doctor_overfitted": (
        "The run learned its rows by heart: the training loss went on falling while the "
        "validation loss rose."
    ),
    "doctor_stalled": "The loss no longer fell, above what a tuned run reaches.",
    "doctor_short": (
        "It had not arrived: all its steps together are shorter than the way to where the tuned "
        "run ended."
    ),
    "doctor_slow": "It was still falling when the budget ended.",
    "doctor_no_rate": (
        "No learning rate helped: at none did the loss end more than {least} % below where it "
        "began."
    ),
    "doctor_tried": "Tried were {rates} rates, from {low} to {high}.",
    "doctor_uphill": (
        "On the whole it went uphill: a large gradient that comes seldom is divided by a second "
        "moment that has just grown with it and then shrinks again (Reddi, Kale and Kumar 2018)."
    ),
    "doctor_step_failed": "It went wrong at step {step}.",
    "doctor_step_lowest": "The validation loss was lowest at step {step}.",
    "doctor_step_seen": "Seen at step {step}.",
    "doctor_ratio": "In `{name}` an update was {ratio} of the weight.",
    "doctor_parameter": "It shows first in `{name}`.",
    "doctor_reach": "The steps reach about {reach}; the distance is {distance}.",
    "doctor_advice": "Try: {advice}.",
    "doctor_or": "; or ",
    "doctor_about": "{advice} (about {value})",
    "advice_check_gradients": "checking the gradients: they are zero from the start",
    "advice_smaller_eps": "a smaller eps",
    "advice_lower_lr": "a lower learning rate",
    "advice_higher_lr": "a higher learning rate",
    "advice_warm_up": "warm-up over the first steps",
    "advice_clip": "clipping the gradient norm",
    "advice_larger_eps": "a larger eps",
    "advice_amsgrad": "AMSGrad, whose second moment never shrinks (`--optimizer amsgrad`)",
    "advice_another_rule": "another rule; {names} trained in this comparison",
    "advice_check_all": "checking the gradients, the data and the number of steps",
    "advice_more_steps": "more steps",
    "advice_fewer_steps": "fewer steps, or stopping where the validation loss is lowest",
    # cost
    "cost_title": "What a step costs",
    "cost_text": (
        "Measured on one thread, on the machine that ran this comparison, and on no other."
    ),
    "cost_none": "No times were recorded with these results.",
    "cost_caption": "Time of the optimizer's step and memory of its state",
    "cost_step": "optimizer step",
    "cost_share": "share of the whole step",
    "cost_state": "state, bytes a parameter",
    "cost_total": "state of this model",
    "cost_model": "The model's own part, loss and gradient, takes {value} a step.",
    "cost_whole": "The whole comparison took {seconds} s (workers: {workers}).",
    "cost_machine": "Machine: {machine}.",
    # runs
    "runs_title": "Every run",
    "runs_text": (
        "Final validation losses of all {seeds} judging seeds; columns are seeds. All runs with "
        "their curves are in `runs.jsonl`, all numbers of this page in `results.json`."
    ),
    "runs_tuned": "Final losses at the tuned rate",
    "runs_tuned_caption": "Final validation loss, tuned, for each seed",
    "runs_default": "Final losses at the default rate",
    "runs_default_caption": "Final validation loss, default rate, for each seed",
    "runs_seed": "seed",
    "runs_basis": "Basis of the quality target: {basis}.",
    "counts_caption": "Runs and failures",
    "counts_runs": "runs",
    "counts_tuning": "diverged in tuning",
    "counts_report": "diverged, tuned",
    "counts_default": "diverged, default",
    "sources_title": "Data",
    "sources_none": "The data are generated, or the user's own.",
    "sources_caption": "Where the data come from",
    "sources_data": "data",
    "sources_package": "ships in",
    "sources_licence": "licence",
    "sources_citation": "citation",
    "sources_checksum": "SHA-256",
    "versions_title": "Versions",
    # again
    "again_title": "Reproduce it, and use it",
    "again_text": "The same command gives the same numbers, whatever the number of workers:",
    "again_note": (
        "Whether it is the same plan is seen from its hash, {hash}. A file of your own must be the "
        "same file."
    ),
    "code_title": "The chosen settings, to copy",
    "code_text": (
        "Lowest mean loss first. Every hyper-parameter is written out, because defaults differ "
        "between frameworks. A learning rate belongs to this problem, batch size and number of "
        "steps."
    ),
    "code_missing": "No version of the same formula: {names}.",
    "code_no_help": (
        "No learning rate lowered the loss by more than {least} %, so there are no settings to "
        "copy; the chapter on what went wrong says more."
    ),
    "code_at_edge": (
        "The best rate of the first search lies at an end of what was tried; a better one may lie "
        "beyond it."
    ),
    "code_no_rate": "No learning rate was found.",
    # find-lr
    "found_title": "A learning rate for {name} on {problem}",
    "found_answer": (
        "**lr = {lr}.** Rates from {low} to {high} cannot be told apart from the best in short "
        "runs. The search cost as much as {cost} full runs."
    ),
    "found_open": "The interval reaches an end of what was tried, so it may be wider.",
    "found_evidence": "The runs behind it",
    "found_use": "Use it",
    "found_text": (
        "First the range test: one run in which the learning rate rises at every step, which shows "
        "where training breaks. It brackets the sweep, short runs of {steps} updates at a constant "
        "rate each. The answer comes from the sweep alone, never from a slope of the range test."
    ),
    "fig_sweep": "The sweep",
    "fig_sweep_note": (
        "Score after the short runs; grey: rates that cannot be told from the best; dotted: the "
        "answer; cross: a run failed. Short runs favour large rates, so the answer lies at the "
        "lower end of what is as good."
    ),
    "fig_range": "The range test",
    "fig_range_note": (
        "Loss while the rate rises; dotted: where it was lowest, which is not a good rate by "
        "itself."
    ),
    "axis_score": "score",
    "axis_range": "loss, in units of the start",
    "found_caption": "The learning rates of the sweep",
    "found_failed": "did not fall",
    "found_note": "A learning rate belongs to this problem, batch size and number of steps.",
    "found_use_text": "The same settings in each framework that has the same formula:",
    # suite
    "suite_title": "Optimizers on {count} problems",
    "suite_area": "**Near the best most often: {names}** (area under the profile up to {area}).",
    "suite_aggregate": (
        "The lowest aggregate of final losses has {name}: {mean} in units of {reference}'s mean "
        "losses (95\u00a0% interval {low} to {high})."
    ),
    "suite_warning": (
        "No single number says which optimizer is best: it depends on the problem. Look at the "
        "problem that is most like yours."
    ),
    "suite_profiles": "All problems together",
    "suite_problems": "Problem by problem",
    "suite_profiles_text": (
        "Each optimizer is tuned on each problem by itself, with equal budgets. The profile counts "
        "updates to the target; a target not reached counts as never."
    ),
    "fig_profile": "Performance profiles",
    "fig_profile_note": (
        "Share of problems that are solved within tau times the updates of the best. At the left: "
        "how often it is the fastest; at the right: how often it arrives at all."
    ),
    "fig_aggregate": "Final loss, all problems",
    "fig_aggregate_note": (
        "Interquartile mean over problems and seeds of the loss divided by that of {reference}, "
        "with its 95\u00a0% interval; left is better."
    ),
    "axis_tau": "tau, times the updates of the best",
    "axis_share": "share of problems",
    "axis_aggregate": "loss / loss of the reference",
    "suite_caption": "Aggregates; losses in units of {reference}",
    "suite_head_area": "area of the profile",
    "suite_head_aggregate": "loss, interquartile mean [95\u00a0%]",
    "suite_area_note": (
        "Area under the profile from one to {limit} times the best: one is the best everywhere, "
        "zero never near. Intervals speak about other seeds, not about other problems."
    ),
    "suite_problems_text": (
        "Each title links to the page of its comparison, in the directory beside this file."
    ),
    "suite_updates": "updates to target",
    "suite_problem_caption": "{title}: mean and 95\u00a0% interval over {seeds} seeds",
    "suite_left": "Left out: {name}. {reason}",
}
