"""The English sentences of the report of a comparison."""

ENGLISH_REPORT = {
    # words and numbers
    "report_percent": "{value}\u00a0%",
    "report_and": "{names} and {last}",
    "yes": "yes",
    "no": "no",
    "group_gap": "; ",
    "group_better": "better: {names}",
    "group_worse": "worse: {names}",
    "group_tie": "tie: {names}",
    "group_few": "too few seeds to tell: {names}",
    "group_diverged": "diverged: {names}",
    "label_real": "real data",
    "label_composite": "composite data: real pieces, artificial arrangement",
    "label_synthetic": "synthetic data",
    "metric_accuracy": "accuracy",
    "metric_loss": "validation loss",
    "metric_r2": "R²",
    "metric_ap": "average precision",
    "metric_return": "return",
    # opening
    "report_title": "{title}: which optimizer?",
    "report_kicker": "{names} optimizers, each tuned alike, judged on {seeds} fresh seeds.",
    "report_better": "**{names} ended better than {name}.**",
    "report_best": "**{name} ended better than every other optimizer.**",
    "report_tie": "**No optimizer is shown to be better than {name}**; it ties with {names}.",
    "report_few": (
        "**There are not enough seeds for a verdict**: {names} might be better than {name}, or "
        "worse."
    ),
    "report_failed": (
        "**{name}, the reference, diverged in {failed} of {seeds} runs**, so nothing is measured "
        "against it."
    ),
    "report_alone": "**{name} ran alone**: there is nothing to compare it with.",
    "report_difference": (
        "The final validation loss of {name} differs from that of {reference} by {mean} (95\u00a0% "
        "interval {low} to {high}, {seeds} paired seeds)."
    ),
    "report_difference_exact": (
        "The final validation loss of {name} differs from that of {reference} by {mean}."
    ),
    "report_beside": "Beside **{name}**: {groups}.",
    "quality_higher": "**Quality target**: {metric} of at least {value}",
    "quality_lower": "**Quality target**: {metric} of at most {value}",
    "quality_basis": "({basis}).",
    "quality_reached": "Reached on average by: {names}.",
    "quality_missed": "Not by: {names}.",
    "report_runs": "{name} ({failed} of {seeds})",
    "report_diverged": "**Diverged** on fresh seeds: {names}.",
    "report_lowest": "{name} (at update {step}; {percent} higher at the end)",
    "report_overfitted": (
        "**Overfitting**: the validation loss was lowest before the end, and rose while the "
        "training loss fell: {names}."
    ),
    "report_edge": (
        "The best learning rate was the last one tried, so there may be a better one: {names}."
    ),
    "report_hypothesis": "**Expected before the first run**: “{text}”",
    # contents
    "nav_result": "Result and plan",
    "nav_curves": "Loss curves",
    "nav_rates": "Learning rates",
    "nav_differences": "Differences",
    "nav_target": "Time to target",
    "nav_defaults": "Defaults",
    "nav_inside": "Inside the step",
    "nav_doctor": "What went wrong",
    "nav_cost": "Cost",
    "nav_runs": "All runs",
    "nav_again": "Reproduce and use",
    # result
    "result_title": "The result and the plan",
    "result_caption": ("Each optimizer, tuned: mean and 95\u00a0% interval over {seeds} seeds"),
    "result_beside": "beside {name}",
    "report_meaning": (
        "“Better” and “worse”: the paired difference is significant after Holm's correction for "
        "all comparisons, and not within the margin of {margin}. “Tie”: not so, and a difference "
        "above {coarse} is ruled out. “Too few seeds”: a difference that matters is neither shown "
        "nor ruled out. A diverged run ended not finite, or with both its losses above ten times "
        "what they were at the start; a run that is only worse than that is a number."
    ),
    "report_exact": (
        "Nothing in this problem is random, so one run says everything: differences are exact, and "
        "a tie is a difference within the margin."
    ),
    "plan_title": "Decided before the first run",
    "plan_text": (
        "Every optimizer gets the same search, and the seeds that tune are never the seeds that "
        "judge. A seed fixes the split, the start and the order of the batches for all optimizers. "
        "Each judging seed runs at the rate that the search would have chosen had its own seeds "
        "been drawn again, so the intervals contain the chance in choosing a rate."
    ),
    "plan_model": "Model",
    "plan_loss": "Loss",
    "plan_parameters": "Parameters",
    "plan_budget": "Budget of a run",
    "plan_steps": "{steps} updates of {batch} samples",
    "plan_search": "Search",
    "plan_rates": (
        "{rates} learning rates at {share} of the updates (seeds: {tuning}), then the chosen one "
        "and its neighbours in full (seeds: {refine}); chosen is the middle of those near the "
        "best: one {near} above it weighs a third"
    ),
    "plan_seeds": "Seeds",
    "plan_ranges": "tuning {tuning}, refining {refine}, judging {report}",
    "plan_target": "Target",
    "plan_target_user": "validation loss of {value}, as asked for",
    "plan_target_classical": (
        "validation loss of {value}, the mean of the weakest tuned classical optimizer"
    ),
    "plan_runs": "Runs",
    "plan_of": "{runs} (at most {most} were planned)",
    "plan_mode": "Mode",
    "plan_hash": "Hash of the plan",
    "plan_machine": "Machine",
    "plan_cores": "{cores} cores",
    # curves
    "curves_title": "Loss over the updates",
    "curves_text": (
        "Each optimizer runs at its own tuned learning rates, constant over a run. Lines are "
        "means over {seeds} seeds, shades their 95\u00a0% intervals. The loss axes are logarithmic."
    ),
    "fig_curves": "Validation loss",
    "fig_curves_note": (
        "Names stand where the lines end, in the order of the losses as far as there is room. "
        "Losses far above the start are not drawn."
    ),
    "fig_panels": "One by one, with training",
    "fig_panels_note": (
        "Solid: validation loss with its band. Dotted: mean training loss since the evaluation "
        "before. Broad grey: validation loss of {name}, the lowest at the end. All panels have the "
        "same axes: updates across, loss upwards."
    ),
    # rates
    "rates_title": "What another learning rate would have cost",
    "rates_text": (
        "The first search runs for {share} of the updates; its scores are joined by lines. The "
        "chosen rate and its neighbours then run in full on other seeds: the single marks, usually "
        "lower because they had more updates."
    ),
    "fig_rates": "Score against learning rate",
    "fig_rates_note": (
        "Ring: the rate that was chosen, and the mean loss on fresh seeds, whose rates were chosen "
        "anew from redrawn refining seeds. In each optimizer's row on top: a cross where a run "
        "diverged, and a bar at its default rate."
    ),
    "rates_caption": (
        "The range in which the loss of the first search is within 10\u00a0% of its best"
    ),
    "rates_chosen": "chosen [judged at]",
    "rates_width": "width in decades",
    "rates_span": "range",
    "rates_default": "own default",
    "rates_extended": "decades added to the grid",
    "rates_edge": "best at the edge",
    "rates_all": "Every learning rate that was tried",
    "points_caption": "All points of the search, mean over the tuning seeds",
    "points_lr": "learning rate",
    "points_stage": "stage",
    "points_score": "validation loss",
    "points_runs": "runs",
    "points_diverged": "diverged",
    "search_stage_coarse": "grid",
    "search_stage_extend": "grid extended",
    "search_stage_refine": "refined, in full",
    # differences
    "differences_title": "Paired differences",
    "differences_none": "There is nobody to compare with.",
    "differences_text": (
        "Losses are subtracted seed by seed, so what all optimizers share in a seed cancels. "
        "Intervals are for one comparison each; the p-values of Holm are for all of them together, "
        "and those decide the words."
    ),
    "fig_forest": "Difference to {name}",
    "fig_forest_note": (
        "In per cent of the mean loss of {name}, with the 95\u00a0% interval; left is better. "
        "Grey: the margin of ±{margin} that does not matter. Cross: a run diverged, so there is no "
        "mean. Arrow: beyond the picture."
    ),
    "axis_percent": "difference to {reference}, %",
    "differences_caption": "Paired differences to {name} over {seeds} seeds",
    "differences_loss": "loss difference [95\u00a0%]",
    "differences_percent": "in per cent [95\u00a0%]",
    "differences_p": "p",
    "differences_holm": "p, Holm",
    "differences_win": "wins",
    "differences_correlation": "correlation",
    "differences_word": "verdict",
    "differences_note": (
        "Wins: the share of all pairs of runs in which the optimizer ends lower; half is even. "
        "Correlation of the paired losses: the higher it is, the more pairing has helped."
    ),
    # target
    "target_title": "Time to target",
    "target_none": "There is no target, because no classical optimizer has a mean loss.",
    "target_text_user": "Updates until the validation loss is at most {value}, the loss asked for.",
    "target_text_classical": (
        "Updates until the validation loss is at most {value}: what the weakest tuned classical "
        "optimizer reaches at its end, so newcomers cannot move the goal."
    ),
    "target_caption": "Updates to the target, seed by seed",
    "target_median": "median",
    "target_reached": "reached",
    "target_steps": "every seed",
    "target_not": "not in half of the runs",
    "target_note": (
        "The loss is evaluated every {every} updates, so arrivals are rounded up to that. A dash "
        "is a run that did not arrive; the median counts it as never."
    ),
    # defaults
    "defaults_title": "Default beside tuned",
    "defaults_text": (
        "What happens without any tuning, at the learning rate that each rule declares, on the "
        "same fresh seeds; and how many random tries tuning takes."
    ),
    "fig_defaults": "Final validation loss",
    "fig_defaults_note": "Filled: tuned. Hollow: default rate. Cross: a default run diverged.",
    "fig_best_of": "Best of K tries",
    "fig_best_of_note": (
        "Expected best loss when K learning rates of the first search are tried at random. A line "
        "that falls early is an optimizer that is easy to tune."
    ),
    "axis_tries": "learning rates tried, K",
    "defaults_caption": "Untuned and tuned on {seeds} fresh seeds",
    "defaults_lr": "default rate",
    "defaults_loss": "loss at default",
    "defaults_tuned_lr": "tuned rate",
    "defaults_tuned": "loss tuned",
    "defaults_penalty": "default / tuned",
    "defaults_diverged": "default diverged",
}
