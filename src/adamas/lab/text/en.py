"""The English sentences."""

ENGLISH = {
    # words that build other sentences
    "separator": ", ",
    "none": "none",
    "sentence_gap": " ",
    "percent": "{value:.1f} %",
    "long_gd": "GD, full-batch gradient descent",
    "word_better": "better",
    "word_worse": "worse",
    "word_tie": "tie",
    "word_few": "too few seeds",
    "word_diverged": "diverged",
    "word_reference": "reference",
    "never": "never",
    "problem_line": "the line",
    "problem_words": "Rare words",
    "problem_softmax": "Digits, softmax",
    "problem_mlp": "Digits, MLP",
    # terminal
    "stage_tutorial": "the tutorial, and its NumPy program beside it",
    "stage_race": "the line: tuning {optimizer}",
    "stage_words": "rare words: {part}",
    "stage_softmax": "digits, softmax regression: {part}",
    "stage_mlp": "digits, small MLP: {part}",
    "done_tutorial": (
        "w = {w:.8f} (tutorial's NumPy code: {w_numpy:.8f}; least squares: {best:.8f})"
    ),
    "done": "{seconds:.0f} s. Open the page in a browser: {page}",
    "done_numbers": "All numbers as JSON: {numbers}",
    # page
    "title": "Adam, from the formula to real data",
    "lead": (
        "The tutorial again: 100 points, one weight, a log line every {every} epochs. This page "
        "runs it with adamas, checks every loss it prints, and then tries what the tutorial "
        "claims on data. Every number below was computed in one run, on the machine that made "
        "this page."
    ),
    "contents": "Contents",
    "skip": "Skip to the text",
    "summary_title": "In short",
    "summary_tutorial": (
        "**The tutorial is reproduced.** w = {w:.8f}; over {epochs} epochs no loss differs from "
        "its NumPy program by more than {difference}."
    ),
    "summary_why": (
        "**It has not converged.** {epochs} steps of lr = {lr:g} reach about {reach:.1f}; the "
        "best line is {distance:.3f} away. With lr = {clr:g} the same loop ends on it: w = "
        "{cw:.8f}."
    ),
    "summary_race": (
        "**On this line the first to arrive is {winner}**: {winner_steps:.0f} updates. Adam "
        "needs {adam_steps:.0f}. Every optimizer has its own tuned learning rate."
    ),
    "summary_rare": (
        "**With rare features the order changes.** Tuned SGD ends with {ratio:.0f} times Adam's "
        "loss."
    ),
    "summary_digits": "**Real digits, small MLP, {seeds} seeds.** {verdicts}",
    "formula_title": "The whole of Adam",
    "formula_text": (
        "This function did every Adam step on this page. It is printed from the installed "
        "package, not typed again here. `p` is a parameter, `g` its gradient, `t` the number of "
        "the step, beginning with 1."
    ),
    "formula_m": (
        "`m`, the first moment, is a moving average of the gradients: the **direction**. With "
        "`beta1 = {beta1:g}` it remembers about {memory1:.0f} steps."
    ),
    "formula_v": (
        "`v`, the second moment, is a moving average of the squared gradients: their **size**. "
        "With `beta2 = {beta2:g}` it remembers about {memory2:.0f} steps."
    ),
    "formula_hat": (
        "Both start at 0, so both are too small at first. Dividing by `1 - beta**t` is the "
        "**bias correction**: it removes exactly the share that is still the zero start."
    ),
    "formula_step": (
        "Direction divided by size is close to ±1 while the gradients agree and smaller when "
        "they do not. So **one step moves a parameter by about `lr` at most**, however large its "
        "gradient. The paper's bound for these settings (section 2.1) is {bound:.2f} `lr`, "
        "reached only when a gradient follows a long silence."
    ),
    "tutorial_title": "The tutorial, reproduced",
    "tutorial_text": (
        "x is uniform from 0 to 10, y = {slope:g}x plus standard normal noise, seed 42. The "
        "model is y = wx with w = 0 at the start, the loss is the mean squared error, and Adam "
        "sees all {points} points in each of {epochs} epochs with lr = {lr:g}. The loss is "
        "printed before the update, as in the tutorial."
    ),
    "tutorial_caption": "Loss every {every} epochs, float64",
    "tutorial_epoch": "epoch",
    "tutorial_adamas": "adamas",
    "tutorial_numpy": "tutorial's NumPy",
    "tutorial_difference": "difference",
    "tutorial_end": (
        "Final weight: **{w:.8f}** with adamas, {w_numpy:.8f} with the tutorial's program. Over "
        "all {epochs} losses the largest difference is {difference}."
    ),
    "why_title": "Why it has not converged",
    "why_text": (
        "The least-squares line can be computed directly (`numpy.linalg.lstsq`, no optimizer): w "
        "= {best:.8f} with a loss of {best_loss:.4f}. The tutorial's last loss is "
        "{last_loss:.4f}. Nothing is broken. A step moves w by about lr at most, the longest "
        "here by {largest:.3f} lr, so {epochs} steps of {lr:g} reach about **{reach:.1f}**, and "
        "the distance is **{distance:.3f}**. The loop stops on the way."
    ),
    "why_cure": (
        "The same {epochs} epochs with **lr = {clr:g}** reach far enough: w = **{cw:.8f}**, loss "
        "**{closs:.4f}**, within 1 % of the best loss for good after {arrival:.0f} updates."
    ),
    "why_caption": "Where the runs end",
    "why_run": "run",
    "why_lr": "lr",
    "why_w": "w",
    "why_loss": "loss",
    "why_row_tutorial": "the tutorial",
    "why_row_converging": "a larger learning rate",
    "why_row_best": "least squares",
    "inside_title": "What a step is made of",
    "inside_text": (
        "Four pictures explain both runs. All are read from Adam's state while it runs: nothing "
        "is estimated afterwards."
    ),
    "race_title": "Who reaches the line first?",
    "race_text": (
        "Each optimizer tried the same {rates} learning rates and is shown at its own best. It "
        "has arrived when its loss is within 1 % of the least-squares loss and stays there until "
        "the end of the run, {horizon} updates. SGD sees one sample an update, as the tutorial "
        "describes it; GD (full-batch gradient descent) and the others see all {points}. SGD's "
        "numbers are medians over {seeds} orders of the samples."
    ),
    "race_caption": "To within 1 % of the least-squares loss",
    "race_optimizer": "optimizer",
    "race_lr": "tuned lr",
    "race_updates": "updates until it stays",
    "race_samples": "sample gradients",
    "race_touch": "first touch alone",
    "race_touch_lr": "lr tuned for it",
    "race_forgiving": "decades of lr within twice its best",
    "race_not_fastest": (
        "**Adam is not the fastest here.** {winner} needs {winner_steps:.0f} updates, Adam "
        "{adam_steps:.0f}. With one weight there is nothing to adapt. The gradient of a parabola "
        "is proportional to the distance from its bottom, so gradient descent takes long steps "
        "far away and short ones nearby, and one good learning rate lands almost at once. Adam "
        "divides that information away: its step is about lr long whether the goal is far or "
        "near, and its average over past gradients, like Momentum's, carries it past the goal "
        "and back. The case for Adam begins where parameters differ from one another, as in the "
        "next chapter."
    ),
    "race_flattered": (
        "**The first touch alone flatters.** At lr = {touch_lr:.3g}, {name} touches the goal "
        "after {touch:.0f} updates and leaves it again; to stay it needs lr = {lr:.3g} and "
        "{steps:.0f} updates. A constant learning rate that is quick far away is too long at the "
        "goal."
    ),
    "race_fastest": (
        "**Adam is the fastest here**, with {adam_steps:.0f} updates at its tuned learning rate."
    ),
    "race_not_arrived": "**Adam did not arrive** at any learning rate within the time given.",
    "rare_title": "Claim one: rare features get larger steps",
    "rare_text": (
        "**Synthetic data.** A document is a set of words, and its score is the sum of their "
        "hidden weights, each +1 or -1, plus noise. The {common} most common words are in every "
        "second document; {rare} of {words} words are in fewer than one in a hundred, the rarest "
        "about {least:.0f} times in the whole run of {steps} updates with {batch} documents each."
    ),
    "rare_result": (
        "The common words come together and so limit the rate that plain SGD survives: it is "
        "tuned to {sgd_lr:.3g}, and at that rate a word seen ten times has gone about "
        "{moved:.0f} % of its way. Adam and Adagrad divide by the root of `v`, which is small "
        "for a rare word: at the end, its effective step is typically **{ratio_adam:.0f} times** "
        "a common word's with Adam and **{ratio_adagrad:.0f} times** with Adagrad. On average v "
        "grows with the frequency, so the step should fall with its root, a slope of -0.5 in the "
        "picture; measured for Adam: {slope:.2f}."
    ),
    "rare_caption": "Rare words, each optimizer at its tuned learning rate, {seeds} new seeds",
    "rare_error": "error of rare weights (1 = nothing learned)",
    "rare_common": "error of the other weights",
    "range_title": "Claim two: a wide range of learning rates works",
    "range_text": (
        "How far may the learning rate move, in powers of ten? Two readings of “works”: the "
        "final loss stays within 10 % of the optimizer's **own best**, or within 10 % of **one "
        "bar for all**, the best loss of the weakest tuned optimizer. Read from the tuning runs: "
        "{rates} rates from {low:g} to {high:g} and those beside the best, {seeds} seeds each, "
        "linear in between on log axes."
    ),
    "range_result": (
        "The widest ranges, in the order of the columns: by the first reading {own}, by the "
        "second {bar}. So Adam is first on **{own_wins} of {count}** and **{bar_wins} of "
        "{count}**. An optimizer that gets much lower than the rest has a harder own best to "
        "stay near; that is why there are two readings. The last column asks something else: how "
        "far the best rate moves from problem to problem: {adam_spread:.2f} decades for Adam, "
        "{sgd_spread:.2f} for SGD."
    ),
    "range_caption": "Decades of learning rate that work: own best / one bar for all",
    "range_spread": "best lr moves by",
    "range_open": "≥ marks a range that reaches the end of the grid.",
    "digits_title": "Real data: handwritten digits",
    "digits_text": (
        "The {images} images of 8 × 8 pixels that ship in scikit-learn; {held} are held out. A "
        "softmax regression and an MLP with {hidden} hidden units, {epochs} epochs in batches of "
        "{batch}. Tuned on seeds {tuning}, judged on seeds {report}. A seed fixes split, start "
        "and batch order for all optimizers, so differences are taken seed by seed."
    ),
    "digits_caption": "{problem}: mean over {seeds} seeds, with 95 % intervals",
    "digits_loss": "validation loss",
    "digits_accuracy": "accuracy",
    "digits_difference": "difference to Adam",
    "digits_verdict": "verdict",
    "digits_diverged": "diverged",
    "digits_of": "{failed} of {seeds}",
    "list_better": "Better than Adam: {names}.",
    "list_worse": "Worse than Adam: {names}.",
    "list_tie": "Cannot be told apart from Adam: {names}.",
    "list_few": "Too few seeds to say: {names}.",
    "list_diverged": "Diverged: {names}.",
    "digits_meaning": (
        "“Better” and “worse” mean a paired t-test below 5 % after Holm's correction for all "
        "comparisons in the table, and a difference that may exceed {margin:g} % of Adam's loss. "
        "“Tie” means that the 95 % interval of the difference stays within {coarse:g} %, not that "
        "the two are proven equal; “too few seeds”, that it does not."
    ),
    "method_title": "How it was measured",
    "method_budget": (
        "Same search for everyone: {rates} learning rates half a decade apart, constant during a "
        "run, then the one in the middle of those near the best and its neighbours a quarter "
        "decade away, on other seeds. The judging seeds run at the rates that those seeds choose "
        "when they are drawn again. All other settings are the rule's defaults."
    ),
    "method_edge": "Tuned to the edge of the grid, so perhaps not at its best: {edge}.",
    "method_seeds": (
        "Tuning seeds never judge. The problems are small: read the verdicts as statements about "
        "these problems and budgets."
    ),
    "method_numpy": (
        "NumPy models, one thread; the line and the words in float64, the digits in float32."
    ),
    "method_again": (
        "Run it again: `adamas demo --lang {language} --seeds {seeds}`. 中文版：`adamas demo "
        "--lang zh`"
    ),
    "method_versions": "Versions: {versions}.",
    "method_file": "All numbers are in `{file}` beside this page.",
}
