"""The English words in and under the pictures."""

ENGLISH_PICTURES = {
    "fig_fit": "Fitted lines",
    "fig_fit_note": (
        "The tutorial's line (solid) is still on its way up. The run with the larger rate "
        "(dashed) lies on the least-squares line (broad)."
    ),
    "fig_loss": "Loss over the epochs",
    "fig_loss_note": "Both runs start at the same loss; only one reaches the least-squares loss.",
    "fig_update": "Each update, measured in learning rates",
    "fig_update_note": (
        "|update| / lr. In the tutorial's run every gradient points the same way, so every step "
        "is almost exactly one lr long. The larger rate gets there, overshoots, and calms down."
    ),
    "fig_effective": "Effective step size",
    "fig_effective_note": (
        "lr / (sqrt(v_hat) + eps), the number that multiplies the averaged gradient. It grows as "
        "the large early gradients fade from v."
    ),
    "fig_correction": "The first steps, with and without correction",
    "fig_correction_note": (
        "The tutorial's run: the step Adam takes, and the step that the same m and v would give "
        "uncorrected, in learning rates. Uncorrected, it would begin {first:.2f} lr long and "
        "grow to {peak:.1f}."
    ),
    "fig_bias": "Bias correction",
    "fig_bias_note": (
        "The factors on m and v. v has the longer memory, so it starts further below its true "
        "size and is corrected more and for longer."
    ),
    "fig_race": "Distance from the best loss",
    "fig_race_note": "Loss above the least-squares loss, as a share of it. Dotted: the 1 % goal.",
    "fig_race_lr": "The price of another learning rate",
    "fig_race_lr_note": (
        "Updates until it stays, against the learning rate; ring: the best. A cross in an "
        "optimizer's row on top: at this rate it did not stay to the end of the run."
    ),
    "fig_words": "Validation loss on rare words",
    "fig_words_note": "Mean over the report seeds. The noise alone costs {noise:.2g}.",
    "fig_rare_steps": "Effective step, word by word",
    "fig_rare_steps_note": (
        "At the end of one run. Each dot is a word. SGD has one step for all; Adam's and "
        "Adagrad's grow as the word gets rarer."
    ),
    "fig_lr_words": "Rare words: loss against learning rate",
    "fig_lr_softmax": "Softmax regression: loss against learning rate",
    "fig_lr_mlp": "MLP: loss against learning rate",
    "fig_lr_note": (
        "Mean over the tuning seeds; ring: the best. A cross in an optimizer's row on top: at "
        "least one run diverged, that is, ended above the loss it started from or not finite."
    ),
    "fig_digits_softmax": "Softmax regression: validation loss",
    "fig_digits_mlp": "MLP: validation loss",
    "fig_digits_note": "Mean over the report seeds, each optimizer at its tuned rate.",
    "fig_intervals_softmax": "Softmax regression: difference to Adam",
    "fig_intervals_mlp": "MLP: difference to Adam",
    "fig_intervals_note": (
        "Per cent of Adam's loss, with the 95 % interval; left of the line is better than Adam."
    ),
    "chart_least_squares": "least squares",
    "chart_epoch": "epoch",
    "chart_step": "step t",
    "chart_updates": "updates",
    "chart_loss": "loss",
    "chart_validation": "validation loss",
    "chart_update": "|update| / lr",
    "chart_effective": "effective step size",
    "chart_with": "corrected",
    "chart_without": "uncorrected",
    "chart_factor": "correction 1 / (1 - beta^t)",
    "chart_excess": "loss above the best / best",
    "chart_goal": "1 % goal",
    "chart_lr": "learning rate",
    "chart_needed": "updates needed",
    "chart_frequency": "share of documents with the word",
    "chart_difference": "difference to Adam's loss, %",
}
