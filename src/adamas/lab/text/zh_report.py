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
    "group_few": "{names} 还无法判断（种子太少）",
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
    "report_tie": "**没有证据表明哪个优化器优于 {name}**；与它分不出高下的有：{names}。",
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
    "report_lowest": "{name}（第 {step} 次更新时最低，结束时高出 {percent}）",
    "report_overfitted": "**过拟合**：训练损失还在下降，验证损失却先降后升：{names}。",
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
    "result_caption": "各优化器调好之后：{seeds} 个种子的平均值和 95% 置信区间",
    "result_beside": "与 {name} 相比",
    "report_meaning": (
        "“更好”和“更差”：对所有比较做 Holm 校正之后，配对差值仍然显著，并且超出 {margin} 的容许范围"
        "。“分不出高下”：达不到上述标准，而且可以排除 {coarse} 以上的差别。“种子太少”：有意义的差别"
        "既没有得到证实，也没有被排除。“发散”：结束时不再是有限的数，或者训练和验证损失都超过开始时的十倍；"
        "仅仅比不训练还差的运行，仍然算作一个数。"
    ),
    "report_exact": (
        "这个问题没有任何随机成分，运行一次就够了：差值是精确的，“分不出高下”指差值在容许范围之内。"
    ),
    "plan_title": "第一次运行之前就已确定",
    "plan_text": (
        "所有优化器的搜索方式相同；用来调参的种子从不参与评判。同一个种子对所有优化器固定数据划分、"
        "初始值和批次顺序。每个评判种子所用的学习率，是把搜索的种子重新抽样之后会选中的那一个，因此"
        "置信区间也包含了选择学习率时的偶然性。"
    ),
    "plan_model": "模型",
    "plan_loss": "损失",
    "plan_parameters": "参数个数",
    "plan_budget": "每次运行的预算",
    "plan_steps": "{steps} 次更新，每批 {batch} 个样本",
    "plan_search": "搜索",
    "plan_rates": (
        "{rates} 个学习率 × {tuning} 个种子，只跑 {share} 的更新；再让选中的一个和它的左右邻居用 "
        "{refine} 个种子跑满；选中的是接近最好成绩的那些学习率的中间值："
        "比最好成绩差 {near} 的，权重约为三分之一"
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
        "第一轮搜索只跑 {share} 的更新，各点用线相连。随后，选中的学习率和它的左右邻居换一批种子跑"
        "满全程，画成单独的标记；它们更新得更多，所以通常更低。"
    ),
    "fig_rates": "损失与学习率",
    "fig_rates_note": (
        "圆圈：最后选定的学习率，以及全新种子上的平均损失；这些运行各自的学习率，由细调所用的种子重新"
        "抽样后选出。上方各优化器那一行：叉表示有运行发散，竖线表示它的默认学习率。"
    ),
    "rates_caption": "第一轮搜索中，损失不超过最好成绩 110% 的学习率范围",
    "rates_chosen": "选定的学习率 [评判所用]",
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
}
