"""The Chinese sentences of the report of a comparison, with the keys and fields of the English."""

CHINESE_REPORT = {
    # words and numbers
    "report_percent": "{value}%",
    "report_and": "{names} 和 {last}",
    "yes": "是",
    "no": "否",
    "group_gap": "；",
    "group_better": "{names} 更好",
    "group_worse": "{names} 更差",
    "group_tie": "{names} 与之分不出高下",
    "group_few": "{names} 种子太少，无法判断",
    "group_diverged": "{names} 发散",
    "label_real": "真实数据",
    "label_composite": "拼合数据：素材真实，组合是人为的",
    "label_synthetic": "合成数据",
    "metric_accuracy": "正确率",
    "metric_loss": "验证损失",
    "metric_r2": "R²",
    "metric_ap": "平均精度（AP）",
    "metric_return": "回报",
    # opening
    "report_title": "{title}：该用哪个优化器？",
    "report_kicker": "共 {names} 个优化器，调参方式完全相同，用 {seeds} 个全新的种子评判。",
    "report_better": "**{names} 的结果优于 {name}。**",
    "report_best": "**{name} 的结果优于其他所有优化器。**",
    "report_tie": "**没有哪个优化器的结果优于 {name}**；与它分不出高下的有：{names}。",
    "report_few": "**种子太少，下不了结论**：{names} 可能比 {name} 好，也可能更差。",
    "report_failed": (
        "**作为基准的 {name} 在 {seeds} 次运行中发散了 {failed} 次**，因此无法以它为准来衡量。"
    ),
    "report_alone": "**只有 {name} 一个优化器**，没有可比较的对象。",
    "report_difference": (
        "{name} 的最终验证损失与 {reference} 相差 {mean}（95% 置信区间为 {low} 到 {high}，{seeds} "
        "个配对种子）。"
    ),
    "report_difference_exact": "{name} 的最终验证损失与 {reference} 相差 {mean}。",
    "report_beside": "与 **{name}** 相比：{groups}。",
    "quality_higher": "**质量目标**：{metric}不低于 {value}",
    "quality_lower": "**质量目标**：{metric}不高于 {value}",
    "quality_basis": "（依据：{basis}）。",
    "quality_reached": "平均达到的有：{names}。",
    "quality_missed": "没有达到的有：{names}。",
    "report_runs": "{name}（{seeds} 次中 {failed} 次）",
    "report_diverged": "在全新的种子上**发散**：{names}。",
    "report_edge": "最好的学习率恰好是试过的最边上一个，因此可能还有更好的：{names}。",
    "report_hypothesis": "**运行之前的预期**：“{text}”",
    # contents
    "nav_result": "结论与计划",
    "nav_curves": "损失曲线",
    "nav_rates": "学习率",
    "nav_differences": "配对差值",
    "nav_target": "到达目标",
    "nav_defaults": "默认值",
    "nav_inside": "一步的内部",
    "nav_doctor": "出了什么问题",
    "nav_cost": "开销",
    "nav_runs": "全部运行",
    "nav_again": "重现与使用",
    # result
    "result_title": "结论与计划",
    "result_caption": "各优化器用调好的学习率：{seeds} 个种子的平均值和 95% 置信区间",
    "result_beside": "与 {name} 相比",
    "report_meaning": (
        "“更好”和“更差”：对所有比较做 Holm 校正之后，配对差值仍然显著，并且超出 {margin} 的容许范围"
        "。“分不出高下”：达不到上述标准，而且可以排除 {coarse} 以上的差别。“种子太少”：有意义的差别"
        "既没有得到证实，也没有被排除。“发散”：结束时的损失比开始时还高，或者不再是有限的数。"
    ),
    "report_exact": (
        "这个问题没有任何随机成分，运行一次就够了：差值是精确的，“分不出高下”指差值在容许范围之内。"
    ),
    "plan_title": "第一次运行之前就已确定",
    "plan_text": (
        "所有优化器的搜索方式相同；用来调参的种子从不参与评判。同一个种子对所有优化器固定数据划分、"
        "初始值和批次顺序。"
    ),
    "plan_model": "模型",
    "plan_loss": "损失",
    "plan_parameters": "参数个数",
    "plan_budget": "每次运行的预算",
    "plan_steps": "{steps} 次更新，每批 {batch} 个样本",
    "plan_search": "搜索",
    "plan_rates": (
        "{rates} 个学习率 × {tuning} 个种子，只跑 {share} 的更新；再让最好的一个和它的左右邻居用 "
        "{refine} 个种子跑满"
    ),
    "plan_seeds": "种子",
    "plan_ranges": "调参 {tuning}，细调 {refine}，评判 {report}",
    "plan_target": "目标",
    "plan_target_user": "验证损失 {value}，由用户指定",
    "plan_target_classical": "验证损失 {value}，即调好之后最弱的经典优化器的平均值",
    "plan_runs": "运行次数",
    "plan_of": "{runs}（计划最多 {most}）",
    "plan_mode": "模式",
    "plan_hash": "计划的哈希值",
    "plan_machine": "机器",
    "plan_cores": "{cores} 核",
    # curves
    "curves_title": "损失随更新的变化",
    "curves_text": (
        "每个优化器都用自己调好的学习率，运行中保持不变。曲线是 {seeds} 个种子的平均值，阴影是 95% "
        "置信区间。损失轴取对数。"
    ),
    "fig_curves": "验证损失",
    "fig_curves_note": (
        "名称写在曲线末端，在空间允许时按损失高低排列。比起点高出很多的损失没有画出来。"
    ),
    "fig_panels": "逐个来看，并附训练损失",
    "fig_panels_note": (
        "实线：验证损失及其区间。点线：自上次评估以来的平均训练损失。灰色宽线：最终损失最低的 "
        "{name} 的验证损失。所有小图的坐标轴相同：横轴是更新次数，纵轴是损失。"
    ),
    # rates
    "rates_title": "换一个学习率要付出多大代价",
    "rates_text": (
        "第一轮搜索只跑 {share} 的更新，各点用线相连。随后，最好的学习率和它的左右邻居换一批种子跑"
        "满全程，画成单独的标记；它们更新得更多，所以通常更低。"
    ),
    "fig_rates": "损失与学习率",
    "fig_rates_note": (
        "圆圈：最后选定的学习率。上方各优化器那一行：叉表示有运行发散，竖线表示它的默认学习率。"
    ),
    "rates_caption": "第一轮搜索中，损失不超过最好成绩 110% 的学习率范围",
    "rates_chosen": "选定的学习率",
    "rates_width": "宽度（数量级）",
    "rates_span": "范围",
    "rates_default": "自身的默认值",
    "rates_extended": "网格扩展的数量级",
    "rates_edge": "最优值在边缘",
    "rates_all": "试过的每一个学习率",
    "points_caption": "搜索的全部点，对调参种子取平均",
    "points_lr": "学习率",
    "points_stage": "阶段",
    "points_score": "验证损失",
    "points_runs": "运行次数",
    "points_diverged": "发散次数",
    "search_stage_coarse": "网格",
    "search_stage_extend": "扩展的网格",
    "search_stage_refine": "细调（跑满）",
    # differences
    "differences_title": "配对差值",
    "differences_none": "没有可比较的对象。",
    "differences_text": (
        "损失逐个种子相减，于是同一个种子对所有优化器的共同影响就抵消了。置信区间各自只针对一次比较"
        "；Holm 校正后的 p 值针对全部比较，结论由它决定。"
    ),
    "fig_forest": "与 {name} 之差",
    "fig_forest_note": (
        "以 {name} 的平均损失为 100%，附 95% 置信区间；越靠左越好。灰色区域：±{margin} 以内，没有实"
        "际意义。叉：有运行发散，没有平均值。箭头：超出图外。"
    ),
    "axis_percent": "与 {reference} 之差（%）",
    "differences_caption": "与 {name} 的配对差值，{seeds} 个种子",
    "differences_loss": "损失之差 [95%]",
    "differences_percent": "百分比 [95%]",
    "differences_p": "p 值",
    "differences_holm": "p 值（Holm）",
    "differences_win": "胜率",
    "differences_correlation": "相关系数",
    "differences_word": "结论",
    "differences_note": (
        "胜率：在两者运行的所有两两组合中，该优化器损失更低的比例，一半表示势均力敌。相关系数是配对"
        "损失之间的相关：越高，说明配对越有用。"
    ),
    # target
    "target_title": "多久能到达目标",
    "target_none": "没有目标，因为没有一个经典优化器得到平均损失。",
    "target_text_user": "验证损失首次降到用户指定的 {value} 所需的更新次数。",
    "target_text_classical": (
        "验证损失首次降到 {value} 所需的更新次数。这个值是调好之后最弱的经典优化器最终达到的损失，"
        "新来的优化器无法改动它。"
    ),
    "target_caption": "逐个种子到达目标的更新次数",
    "target_median": "中位数",
    "target_reached": "到达",
    "target_steps": "各个种子",
    "target_not": "不到一半的运行到达",
    "target_note": (
        "每 {every} 次更新评估一次损失，因此到达的时刻向上取到评估点。短横表示没有到达，计算中位数"
        "时算作永远不到。"
    ),
    # defaults
    "defaults_title": "默认与调好",
    "defaults_text": (
        "完全不调参会怎样：用规则自带的默认学习率，在同样的全新种子上运行；以及调参需要随机试多少次"
        "。"
    ),
    "fig_defaults": "最终验证损失",
    "fig_defaults_note": "实心：调好的学习率。空心：默认学习率。叉：默认学习率下有运行发散。",
    "fig_best_of": "试 K 次的最好成绩",
    "fig_best_of_note": (
        "从第一轮搜索的学习率中随机试 K 个，最好损失的期望值。曲线下降得越早，优化器就越容易调。"
    ),
    "axis_tries": "试过的学习率个数 K",
    "defaults_caption": "不调与调好，{seeds} 个全新的种子",
    "defaults_lr": "默认学习率",
    "defaults_loss": "默认时的损失",
    "defaults_tuned_lr": "调好的学习率",
    "defaults_tuned": "调好后的损失",
    "defaults_penalty": "默认 / 调好",
    "defaults_diverged": "默认时发散",
    # inside
    "inside_report_title": "一步的内部",
    "inside_none": "这次没有观察任何优化器的内部。",
    "inside_report_text": (
        "每个优化器用调好的学习率和种子 {seed} 重新运行一次，下面的量都直接从它的状态中读出。"
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
    "fig_reach_note": "所有坐标的中位数；阴影是 {name} 从第 10 到第 90 百分位的范围。",
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
    "doctor_text": "发散、停滞或没有走到的运行，都重新运行了一次，并记录下每一步。",
    "doctor_none": "没有需要诊断的运行。",
    "doctor_note": "建议由这些数字推出，可以先试一试，但这里没有实际运行过。",
    "doctor_run": "{name}，学习率 {lr}，种子 {seed}。",
    "doctor_diverged": "这次运行发散了。",
    "doctor_stalled": "损失停在远高于调好之后的水平，不再下降。",
    "doctor_short": "还没有走到：学习率乘以步数，比要走的路还短。",
    "doctor_slow": "预算用完时，损失还在下降。",
    "doctor_step_failed": "问题出在第 {step} 步。",
    "doctor_step_seen": "出现在第 {step} 步。",
    "doctor_ratio": "在 `{name}` 中，一次更新的大小达到权重的 {ratio}。",
    "doctor_parameter": "最先出现在 `{name}` 中。",
    "doctor_reach": "所有步加起来大约能走 {reach}，而距离是 {distance}。",
    "doctor_advice": "可以试试：{advice}。",
    "doctor_or": "；或者",
    "advice_lower_lr": "减小学习率",
    "advice_higher_lr": "增大学习率",
    "advice_warm_up": "在最初若干步预热",
    "advice_clip": "裁剪梯度范数",
    "advice_larger_eps": "增大 eps",
    "advice_more_steps": "增加步数",
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
    "cost_whole": "整个比较用了 {seconds} 秒，{workers} 个工作进程。",
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
    "code_no_rate": "没有找到学习率。",
}
