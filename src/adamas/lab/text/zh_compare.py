"""What `adamas compare`, `find-lr` and `suite` say in the terminal, in Chinese."""

CHINESE_COMPARE = {
    "compare_measuring": "正在测量一次训练所需的时间",
    "compare_looking": "正在观察每一步的内部",
    "compare_plan": (
        "计划 {hash}：在 {problem} 上比较 {optimizers}。每个优化器先用 {rates} 个学习率 x {tuning} "
        "个种子调优（四分之一步数），再用另外 {refine} 个种子细调，最后用这些种子重新抽样所选出的"
        "学习率，与其默认学习率一起在 {report} 个全新种子上评判：共 {runs} 次训练，约 {time} 分钟。"
    ),
    "compare_stage_search": "调优",
    "compare_stage_report": "在全新种子上评判",
    "compare_progress": "第 {done} / {runs} 次训练，{stage}",
    "compare_progress_left": "第 {done} / {runs} 次训练，{stage}，约剩 {left} 分钟",
    "compare_row": "{name:12} 学习率 {lr:<8} 损失 {value}  {word}",
    "compare_in_vain": "没有一个学习率能让 {names} 的损失下降超过 {least}%；可以试什么，见页面。",
    "compare_done": "{seconds:.0f} 秒。请在浏览器中打开：{page}",
    "compare_numbers": "全部数字（JSON）：{numbers}",
    "compare_interrupted": "已中断。{kept} 次训练已保存在 {out}；再次运行同一命令即可继续。",
    "compare_damaged": (
        "{path} 中有 {count} 行已损坏（首个是第 {line} 行），已略去，这些训练会重新运行。"
    ),
    "compare_worse": "{names}：比 {reference} 差 {limit:g} % 以上",
    "find_running": "正在为 {optimizer} 在 {problem} 上寻找学习率：第 {done} 次训练",
    "find_answer": (
        "{optimizer}：学习率 {lr}；从 {low} 到 {high} 之间看不出差别。"
        "花费相当于 {cost:.1f} 次完整训练。"
    ),
    "suite_skipped": "略过 {problem}：{reason}",
}
