"""The Chinese sentences of a report's second half, and of the pages of find-lr and suite."""

CHINESE_EVIDENCE = {
    # inside
    "inside_report_title": "一步的内部",
    "inside_none": "这次没有观察任何优化器的内部。",
    "inside_report_text": (
        "每个优化器取种子 {seed} 的那次评判运行，重新运行一遍，下面的量都直接从它的状态中读出。"
    ),
    "inside_step": (
        "**|更新量| / 学习率**：一步有几个学习率那么长。Adam 用梯度的均方根去除梯度的平均值：梯度方"
        "向一致的坐标，每步大约移动一个学习率；梯度相互抵消的坐标，几乎不动。"
    ),
    "inside_effective": (
        "**有效步长**，即 lr / (sqrt(v_hat) + eps)，是梯度所乘的那个数。各个坐标的有效步长不同，“自"
        "适应”指的就是这一点。"
    ),
    "inside_moments": (
        "**m 和 v** 分别是梯度和梯度平方的移动平均。当 m 比 v 的平方根缩小得更快时，说明梯度中主要"
        "是噪声，步长也就自动变短。"
    ),
    "fig_steps_title": "一步的长度，以学习率为单位",
    "fig_steps_note": "所有坐标的中位数；阴影是 {name} 直到第 90 百分位的范围。点线：1。",
    "fig_reach_title": "有效步长",
    "fig_reach_note": (
        "所有坐标的中位数；阴影是 {name} 从第 10 到第 90 百分位的范围，只画到图的边缘：没有梯度的坐"
        "标会达到 lr / eps。"
    ),
    "fig_factors_title": "偏差修正（{name}）",
    "fig_factors_note": (
        "m 和 v 各自要乘的系数。两个平均值都从 0 开始，起初偏小；修正系数弥补这一点，随后逐渐趋于 1"
        "。"
    ),
    "fig_m_title": "一阶矩",
    "fig_m_note": "m 在所有坐标上的均方根。",
    "fig_v_title": "二阶矩",
    "fig_v_note": "v 在所有坐标上的均方根。",
    "fig_gradient_title": "梯度的范数",
    "fig_gradient_note": "批次梯度在全部参数上的欧几里得范数。",
    "fig_ratio_title": "更新量与权重之比（{name}）",
    "fig_ratio_note": (
        "更新量的范数除以参数的范数，只画变化最大的几个参数。通常在千分之一左右；接近 1 则意味着每"
        "一步都在重写权重。"
    ),
    "axis_steps": "|更新量| / 学习率",
    "axis_reach": "有效步长",
    "axis_m": "m 的均方根",
    "axis_v": "v 的均方根",
    "axis_gradient": "梯度的范数",
    "axis_ratio": "|更新量| / |权重|",
    # doctor
    "doctor_title": "出了什么问题，可以试什么",
    "doctor_text": "发散、过拟合、停滞或没有走到的运行，都重新运行了一次，并记录下每一步。",
    "doctor_none": "没有需要诊断的运行。",
    "doctor_note": "建议由这些数字推出，可以先试一试，但这里没有实际运行过。",
    "doctor_run": "{name}，学习率 {lr}，种子 {seed}。",
    "doctor_diverged": "这次运行发散了。",
    "doctor_rose": "结束时的损失比开始时还高。",
    "doctor_overfitted": "这次运行把训练数据背了下来：训练损失还在下降，验证损失却在上升。",
    "doctor_stalled": "损失停在高于调好之后的水平，不再下降。",
    "doctor_short": "还没有走到：所有步加起来，还不如到调好的那次运行终点的路长。",
    "doctor_slow": "预算用完时，损失还在下降。",
    "doctor_no_rate": (
        "没有一个学习率有用：无论取哪个，损失从起点到结束的降幅都没有超过 {least}%。"
    ),
    "doctor_tried": "试过 {rates} 个学习率，从 {low} 到 {high}。",
    "doctor_uphill": (
        "总的来看，它在往上坡走：少见的大梯度除以刚刚随它增大的二阶矩，之后二阶矩又会变小"
        "（Reddi、Kale 和 Kumar，2018）。"
    ),
    "doctor_step_failed": "问题出在第 {step} 步。",
    "doctor_step_lowest": "验证损失在第 {step} 步最低。",
    "doctor_step_seen": "出现在第 {step} 步。",
    "doctor_ratio": "在 `{name}` 中，一次更新的大小达到权重的 {ratio}。",
    "doctor_parameter": "最先出现在 `{name}` 中。",
    "doctor_reach": "所有步加起来大约能走 {reach}，而距离是 {distance}。",
    "doctor_advice": "可以试试：{advice}。",
    "doctor_or": "；或者",
    "doctor_about": "{advice}（约 {value}）",
    "advice_check_gradients": "检查梯度：它从一开始就是零",
    "advice_smaller_eps": "减小 eps",
    "advice_lower_lr": "减小学习率",
    "advice_higher_lr": "增大学习率",
    "advice_warm_up": "在最初若干步预热",
    "advice_clip": "裁剪梯度范数",
    "advice_larger_eps": "增大 eps",
    "advice_amsgrad": "改用 AMSGrad，它的二阶矩只增不减（`--optimizer amsgrad`）",
    "advice_another_rule": "换一个优化器，这次比较中 {names} 能降低损失",
    "advice_check_all": "检查梯度、数据和步数",
    "advice_more_steps": "增加步数",
    "advice_fewer_steps": "减少步数，或者在验证损失最低处停下",
    # cost
    "cost_title": "一步的开销",
    "cost_text": "在运行这次比较的机器上用单线程测得，只代表这台机器。",
    "cost_none": "这些结果没有附带计时。",
    "cost_caption": "优化器一步的时间和状态占用的内存",
    "cost_step": "优化器一步",
    "cost_share": "占整个训练步的比例",
    "cost_state": "每个参数的状态（字节）",
    "cost_total": "本模型的状态",
    "cost_model": "模型自身（损失和梯度）每步需要 {value}。",
    "cost_whole": "整个比较用了 {seconds} 秒，工作进程 {workers} 个。",
    "cost_machine": "机器：{machine}。",
    # runs
    "runs_title": "每一次运行",
    "runs_text": (
        "全部 {seeds} 个评判种子的最终验证损失，每列一个种子。所有运行及其曲线保存在 `runs.jsonl` "
        "中，本页的全部数字保存在 `results.json` 中。"
    ),
    "runs_tuned": "调好的学习率下的最终损失",
    "runs_tuned_caption": "调好之后，各个种子的最终验证损失",
    "runs_default": "默认学习率下的最终损失",
    "runs_default_caption": "默认学习率下，各个种子的最终验证损失",
    "runs_seed": "种子",
    "runs_basis": "质量目标的依据：{basis}。",
    "counts_caption": "运行与失败的次数",
    "counts_runs": "运行次数",
    "counts_tuning": "调参时发散",
    "counts_report": "调好后发散",
    "counts_default": "默认时发散",
    "sources_title": "数据",
    "sources_none": "数据是生成的，或由用户提供。",
    "sources_caption": "数据来源",
    "sources_data": "数据",
    "sources_package": "随附于",
    "sources_licence": "许可",
    "sources_citation": "引用",
    "sources_checksum": "SHA-256 校验和",
    "versions_title": "版本",
    # again
    "again_title": "重现结果，用起来",
    "again_text": "同样的命令得到同样的数字，与工作进程的个数无关：",
    "again_note": "计划是否相同，看它的哈希值 {hash}。如果用的是自己的文件，文件也必须相同。",
    "code_title": "选定的设置，可直接复制",
    "code_text": (
        "按平均损失从低到高排列。各框架的默认值不同，所以每个超参数都写了出来。学习率只适用于这个问"
        "题、这个批大小和这个步数。"
    ),
    "code_missing": "没有公式相同的版本：{names}。",
    "code_no_help": (
        "没有一个学习率能让损失下降超过 {least}%，因此没有可以复制的设置；"
        "原因见“出了什么问题”一章。"
    ),
    "code_at_edge": "第一轮搜索中最好的学习率位于试过的范围的边缘，更好的也许在范围之外。",
    "code_no_rate": "没有找到学习率。",
    # find-lr
    "found_title": "{name} 在 {problem} 上的学习率",
    "found_answer": (
        "**学习率 = {lr}。**在短程运行中，从 {low} 到 {high} 的学习率与最好的一个分不出高下。这次搜"
        "索的花费相当于 {cost} 次完整训练。"
    ),
    "found_open": "这个区间已到试过的边缘，实际可能更宽。",
    "found_evidence": "背后的运行",
    "found_use": "拿来使用",
    "found_text": (
        "先做范围测试：在一次运行中让学习率逐步升高，看训练在哪里崩溃，由此划定扫描的范围；再做扫描"
        "：每个学习率保持不变，各跑 {steps} 次更新。答案只来自扫描，从不取自范围测试曲线的斜率。"
    ),
    "fig_sweep": "扫描",
    "fig_sweep_note": (
        "短程运行之后的得分；灰色：与最好的一个分不出高下的学习率；点线：答案；叉：运行失败。短程运"
        "行偏爱大的学习率，所以答案取同样好的范围中偏小的一端。"
    ),
    "fig_range": "范围测试",
    "fig_range_note": "学习率升高时的损失；点线：损失最低处，它本身并不是好的学习率。",
    "axis_score": "得分",
    "axis_range": "损失（以起点为 1）",
    "found_caption": "扫描过的学习率",
    "found_failed": "没有下降",
    "found_note": "学习率只适用于这个问题、这个批大小和这个步数。",
    "found_use_text": "公式相同的各框架中的同样设置：",
    # suite
    "suite_title": "{count} 个问题上的优化器",
    "suite_area": "**最常接近最优的是：{names}**（性能曲线下的面积最大为 {area}）。",
    "suite_aggregate": (
        "综合最终损失最低的是 {name}：以 {reference} 的平均损失为单位，为 {mean}"
        "（95% 置信区间为 {low} 到 {high}）。"
    ),
    "suite_warning": (
        "没有哪一个数字能说明哪个优化器最好：这取决于问题。请看与你的问题最相近的那一个。"
    ),
    "suite_profiles": "所有问题合在一起",
    "suite_problems": "逐个问题",
    "suite_profiles_text": (
        "每个优化器在每个问题上分别调参，预算相同。性能曲线统计到达目标所需的更新次数；没有到达目标"
        "，算作永远不到。"
    ),
    "fig_profile": "性能曲线",
    "fig_profile_note": (
        "更新次数不超过最快者 tau 倍的问题所占的比例。最左端：多大比例的问题上它最快；最右端：多大"
        "比例的问题上它能够到达。"
    ),
    "fig_aggregate": "最终损失，所有问题",
    "fig_aggregate_note": (
        "损失除以 {reference} 的损失，对问题和种子取四分位均值，附 95% 置信区间；越靠左越好。"
    ),
    "axis_tau": "tau（最快者更新次数的倍数）",
    "axis_share": "问题的比例",
    "axis_aggregate": "损失 / 基准的损失",
    "suite_caption": "综合结果；损失以 {reference} 为 1",
    "suite_head_area": "性能曲线的面积",
    "suite_head_aggregate": "损失的四分位均值 [95%]",
    "suite_area_note": (
        "性能曲线下从一倍到 {limit} 倍之间的面积：1 表示处处最快，0 表示从不接近。置信区间针对换一"
        "批种子，而不是换一批问题。"
    ),
    "suite_problems_text": "每个标题都链接到它自己的比较页面，位于本文件旁边的目录中。",
    "suite_updates": "到达目标的更新次数",
    "suite_problem_caption": "{title}：{seeds} 个种子的平均值和 95% 置信区间",
    "suite_left": "略过：{name}。{reason}",
}
