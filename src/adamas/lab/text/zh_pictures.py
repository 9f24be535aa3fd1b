"""The Chinese words in and under the pictures, with the keys and fields of the English ones."""

CHINESE_PICTURES = {
    "fig_fit": "拟合的直线",
    "fig_fit_note": (
        "教程的直线（实线）还在半路上；学习率更大的那次运行（虚线）与最小二乘直线（宽线）重合。"
    ),
    "fig_loss": "损失随轮次的变化",
    "fig_loss_note": "两次运行从同一个损失出发，只有一次降到了最小二乘的损失。",
    "fig_update": "每次更新有几个学习率那么长",
    "fig_update_note": (
        "|更新量| / 学习率。教程的运行中，每一次的梯度都指向同一边，所以每一步几乎正好是一个学习"
        "率。学习率更大的那次很快到达，冲过头，再慢慢稳定下来。"
    ),
    "fig_effective": "有效步长",
    "fig_effective_note": (
        "lr / (sqrt(v_hat) + eps)，也就是平均梯度前面所乘的那个数。早期的大梯度在 v 中逐渐淡去，"
        "它就随之增大。"
    ),
    "fig_correction": "最初的几步：修正与不修正",
    "fig_correction_note": (
        "教程的那次运行：Adam 实际走的步长，以及同样的 m 和 v 不做修正时的步长，以学习率为单位。"
        "不修正的话，第一步会长达 {first:.2f} 个学习率，随后还会增大到 {peak:.1f} 个。"
    ),
    "fig_bias": "偏差修正",
    "fig_bias_note": (
        "m 和 v 各自要乘的修正系数。v 的记忆更长，起初偏小得更多，因此修正得更多，也更久。"
    ),
    "fig_race": "离最优损失还有多远",
    "fig_race_note": "损失比最小二乘损失高出的比例。点线：1% 的目标。",
    "fig_race_lr": "换一个学习率的代价",
    "fig_race_lr_note": (
        "稳定到达所需的更新次数与学习率的关系，圆圈标出最好的一个。上方各优化器那一行中的叉：用这"
        "个学习率没能保持到运行结束。"
    ),
    "fig_words": "稀有词问题的验证损失",
    "fig_words_note": "对报告种子取平均。仅噪声本身就占 {noise:.2g}。",
    "fig_rare_steps": "每个词的有效步长",
    "fig_rare_steps_note": (
        "一次运行结束时的情形，每个点是一个词。SGD 对所有词用同一个步长；Adam 和 Adagrad 的步长随"
        "着词变稀有而变大。"
    ),
    "fig_lr_words": "稀有词：损失与学习率",
    "fig_lr_softmax": "Softmax 回归：损失与学习率",
    "fig_lr_mlp": "MLP：损失与学习率",
    "fig_lr_note": (
        "对调参种子取平均，圆圈标出最好的一个。上方各优化器那一行中的叉：至少有一次运行发散，即结"
        "束时的损失比开始时还高，或者不再是有限的数。"
    ),
    "fig_digits_softmax": "Softmax 回归：验证损失",
    "fig_digits_mlp": "MLP：验证损失",
    "fig_digits_note": "对报告种子取平均，每个优化器都用调好的学习率。",
    "fig_intervals_softmax": "Softmax 回归：与 Adam 之差",
    "fig_intervals_mlp": "MLP：与 Adam 之差",
    "fig_intervals_note": "以 Adam 的损失为 100%，附 95% 置信区间；在竖线左边表示优于 Adam。",
    "chart_least_squares": "最小二乘",
    "chart_epoch": "轮次",
    "chart_step": "步数 t",
    "chart_updates": "更新次数",
    "chart_loss": "损失",
    "chart_validation": "验证损失",
    "chart_update": "|更新量| / 学习率",
    "chart_effective": "有效步长",
    "chart_with": "修正",
    "chart_without": "不修正",
    "chart_factor": "修正系数 1 / (1 - beta^t)",
    "chart_excess": "高出最优损失的比例",
    "chart_goal": "1% 目标",
    "chart_lr": "学习率",
    "chart_needed": "所需更新次数",
    "chart_frequency": "出现该词的文档比例",
    "chart_difference": "与 Adam 损失之差（%）",
}
