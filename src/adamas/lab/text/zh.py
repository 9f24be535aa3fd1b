"""The Chinese sentences, with the keys and fields of the English ones."""

CHINESE = {
    # words that build other sentences
    "separator": "、",
    "none": "无",
    "sentence_gap": "",
    "percent": "{value:.1f}%",
    "long_gd": "GD（全批量梯度下降）",
    "word_better": "更好",
    "word_worse": "更差",
    "word_tie": "分不出高下",
    "word_few": "种子太少",
    "word_diverged": "发散",
    "word_reference": "基准",
    "never": "未达到",
    "problem_line": "直线",
    "problem_words": "稀有词",
    "problem_softmax": "手写数字，softmax",
    "problem_mlp": "手写数字，MLP",
    # terminal
    "stage_tutorial": "运行教程，并用教程的 NumPy 程序对照",
    "stage_race": "直线拟合：为 {optimizer} 调学习率",
    "stage_words": "稀有词：{part}",
    "stage_softmax": "手写数字，softmax 回归：{part}",
    "stage_mlp": "手写数字，小型 MLP：{part}",
    "done_tutorial": "w = {w:.8f}（教程的 NumPy 程序：{w_numpy:.8f}；最小二乘：{best:.8f}）",
    "done": "用时 {seconds:.0f} 秒。请用浏览器打开：{page}",
    "done_numbers": "全部数据（JSON）：{numbers}",
    # page
    "title": "Adam：从公式到真实数据",
    "lead": (
        "还是那个教程：100 个点、一个权重、每 {every} 轮打印一行日志。这里用 adamas 重新运行它，"
        "逐一核对它打印的损失，再用数据检验教程里的说法。下面的每一个数字都来自同一次运行，就在生"
        "成本页的这台机器上算出。"
    ),
    "contents": "目录",
    "skip": "跳到正文",
    "summary_title": "要点",
    "summary_tutorial": (
        "**教程的结果完全重现。** w = {w:.8f}；{epochs} 轮里，每一轮的损失与教程的 NumPy 程序相差"
        "都不超过 {difference}。"
    ),
    "summary_why": (
        "**但它还没有收敛。** 学习率 {lr:g} 走 {epochs} 步，大约只能走 {reach:.1f}；而最优解远在 "
        "{distance:.3f} 之外。把学习率改成 {clr:g}，同样的循环就正好停在最优解上：w = {cw:.8f}。"
    ),
    "summary_race": (
        "**在这条直线上，最先到达的是 {winner}**，需要 {winner_steps:.0f} 次更新；Adam 需要 "
        "{adam_steps:.0f} 次。每个优化器用的都是各自调好的学习率。"
    ),
    "summary_rare": (
        "**特征稀有时，名次就变了。** SGD 即使调好学习率，最终损失仍是 Adam 的 {ratio:.0f} 倍。"
    ),
    "summary_digits": "**真实的手写数字，小型 MLP，{seeds} 个种子。** {verdicts}",
    "formula_title": "Adam 的全部",
    "formula_text": (
        "本页所有 Adam 的更新都由下面这个函数完成。它直接取自已安装的程序包，没有另抄一份。`p` 是"
        "参数，`g` 是它的梯度，`t` 是步数，从 1 开始。"
    ),
    "formula_m": (
        "`m` 是一阶矩，即梯度的移动平均，它给出**方向**。`beta1 = {beta1:g}` 时，大约记得最近 "
        "{memory1:.0f} 步。"
    ),
    "formula_v": (
        "`v` 是二阶矩，即梯度平方的移动平均，它衡量梯度的**大小**。`beta2 = {beta2:g}` 时，大约记"
        "得最近 {memory2:.0f} 步。"
    ),
    "formula_hat": (
        "两者都从 0 开始，所以起初都偏小。除以 `1 - beta**t` 就是**偏差修正**：它恰好抵消初始值 "
        "0 所占的那一份。"
    ),
    "formula_step": (
        "方向除以大小：各步梯度一致时接近 ±1，不一致时更小。因此**无论梯度有多大，参数每一步最多"
        "大约移动一个 `lr`**。论文第 2.1 节给出的上界在这组设置下是 {bound:.2f} 个 `lr`，只有梯度"
        "长期为零之后突然出现时才会达到。"
    ),
    "tutorial_title": "重现教程",
    "tutorial_text": (
        "x 在 0 到 10 之间均匀分布，y = {slope:g}x 加标准正态噪声，随机种子为 42。模型是 y = wx，"
        "w 从 0 开始，损失是均方误差。学习率为 {lr:g}，共 {epochs} 轮，每一轮都用全部 {points} 个"
        "点。和教程一样，打印的是更新之前的损失。"
    ),
    "tutorial_caption": "每 {every} 轮的损失（float64）",
    "tutorial_epoch": "轮次",
    "tutorial_adamas": "adamas",
    "tutorial_numpy": "教程的 NumPy 程序",
    "tutorial_difference": "相差",
    "tutorial_end": (
        "最终权重：adamas 得到 **{w:.8f}**，教程的程序得到 {w_numpy:.8f}。{epochs} 个损失中，最大"
        "的相差是 {difference}。"
    ),
    "why_title": "为什么还没有收敛",
    "why_text": (
        "最小二乘解可以直接算出（`numpy.linalg.lstsq`，不用任何优化器）：w = {best:.8f}，损失 "
        "{best_loss:.4f}。而教程最后的损失是 {last_loss:.4f}。程序并没有错：每一步最多让 w 移动大"
        "约一个学习率（这里最长的一步是 {largest:.3f} 个），所以 {epochs} 步、每步 {lr:g}，一共大"
        "约只能走 **{reach:.1f}**，而要走的距离是 **{distance:.3f}**。循环结束时，它还在半路上。"
    ),
    "why_cure": (
        "同样是 {epochs} 轮，把学习率改为 **{clr:g}** 就够得着了：w = **{cw:.8f}**，损失 "
        "**{closs:.4f}**；第 {arrival:.0f} 次更新之后，损失一直保持在最优值的 1% 以内。"
    ),
    "why_caption": "各次运行停在哪里",
    "why_run": "运行",
    "why_lr": "学习率",
    "why_w": "w",
    "why_loss": "损失",
    "why_row_tutorial": "教程",
    "why_row_converging": "更大的学习率",
    "why_row_best": "最小二乘",
    "inside_title": "一步是怎样构成的",
    "inside_text": (
        "四幅图就能解释这两次运行。图中的量都在运行时直接从 Adam 的状态中读出，不是事后估计的。"
    ),
    "race_title": "谁先找到这条直线？",
    "race_text": (
        "每个优化器都试同样多的 {rates} 个学习率，取各自最好的一个。损失进入最小二乘损失的 1% 以"
        "内，并且一直保持到运行结束（共 {horizon} 次更新），才算到达。按教程的说法，SGD 每次更新"
        "只看一个样本；GD（全批量梯度下降）和其余优化器每次看全部 {points} 个。SGD 的数字是 "
        "{seeds} 种样本顺序的中位数。"
    ),
    "race_caption": "降到最小二乘损失的 1% 以内所需的代价",
    "race_optimizer": "优化器",
    "race_lr": "调好的学习率",
    "race_updates": "稳定到达的更新次数",
    "race_samples": "单样本梯度数",
    "race_touch": "只看首次触及",
    "race_touch_lr": "为此调的学习率",
    "race_forgiving": "代价不超过两倍的学习率范围（数量级）",
    "race_not_fastest": (
        "**在这里 Adam 并不是最快的。** {winner} 需要 {winner_steps:.0f} 次更新，Adam 需要 "
        "{adam_steps:.0f} 次。只有一个权重，也就没有什么可以自适应的。抛物线的梯度与到谷底的距离"
        "成正比，所以梯度下降自然会远处走大步、近处走小步，只要学习率合适，几乎一步到位。Adam 却"
        "把这个信息除掉了：不管目标远近，它的步长都大约是一个学习率；而且和动量法一样，对过去梯度"
        "的平均会带着它冲过目标，再折回来。Adam 的长处，要到各个参数彼此差别很大时才显出来，见下"
        "一节。"
    ),
    "race_flattered": (
        "**只看首次触及会产生错觉。** 学习率为 {touch_lr:.3g} 时，{name} 在第 {touch:.0f} 次更新"
        "就碰到目标，随后又离开；要留在目标内，需要学习率 {lr:.3g} 和 {steps:.0f} 次更新。固定不"
        "变的学习率，离目标远时走得快，到了目标附近就嫌太长。"
    ),
    "race_fastest": "**在这里 Adam 最快**：用调好的学习率，只需 {adam_steps:.0f} 次更新。",
    "race_not_arrived": "**Adam 没有到达**：在规定的更新次数内，没有一个学习率能让它到达。",
    "rare_title": "说法一：稀有特征得到更大的步长",
    "rare_text": (
        "**合成数据。** 一篇文档是一组词，它的得分是这些词的隐藏权重（+1 或 −1）之和，再加噪声。"
        "最常见的 {common} 个词，每两篇文档就有一篇出现；{words} 个词里有 {rare} 个，一百篇里出现"
        "不到一次。共 {steps} 次更新，每次 {batch} 篇文档，最稀有的词从头到尾只出现约 "
        "{least:.0f} 次。"
    ),
    "rare_result": (
        "常见词总是一起出现，于是限制了普通 SGD 能承受的学习率：调好之后是 {sgd_lr:.3g}，在这个学"
        "习率下，一个词出现十次，也只走完全程的大约 {moved:.0f}%。Adam 和 Adagrad 要除以 `v` 的平"
        "方根，而稀有词的 `v` 很小：到最后，稀有词的有效步长通常是常见词的 **{ratio_adam:.0f} 倍"
        "**（Adam）和 **{ratio_adagrad:.0f} 倍**（Adagrad）。平均来说 v 与出现频率成正比，所以有"
        "效步长应与频率的平方根成反比，也就是图中的斜率为 -0.5；Adam 的实测值是 {slope:.2f}。"
    ),
    "rare_caption": "稀有词：各优化器用调好的学习率，{seeds} 个新的种子",
    "rare_error": "稀有词权重的误差（1 = 什么也没学到）",
    "rare_common": "其余权重的误差",
    "range_title": "说法二：学习率在很大范围内都有效",
    "range_text": (
        "学习率可以变动几个数量级？“有效”有两种读法：最终损失不超过该优化器**自己最好成绩**的 "
        "110%；或者不超过**统一标准**的 110%，这个标准是调好之后最弱的优化器的最好成绩。数据取自"
        "调参时的运行：{rates} 个学习率，从 {low:g} 到 {high:g}，外加最优值两侧的几个，"
        "各 {seeds} 个种子，中间在对数坐标上线性插值。"
    ),
    "range_result": (
        "各问题上范围最宽的，按第一种读法依次是 {own}，按第二种读法依次是 {bar}。{count} 个问题中，"
        "Adam 分别在 **{own_wins} 个**和 **{bar_wins} 个**上居首。如果一个优化器的损失远低于其"
        "他优化器，它自己的最好成绩就更难接近，所以才需要两种读法。表的最后一列问的是另一件事：换"
        "一个问题，最好的学习率要移动多少？Adam 移动 {adam_spread:.2f} 个数量级，SGD 移动 "
        "{sgd_spread:.2f} 个。"
    ),
    "range_caption": "有效学习率跨越的数量级：自己的最好成绩 / 统一标准",
    "range_spread": "最好学习率的移动",
    "range_open": "≥ 表示范围已到网格的边缘，实际可能更宽。",
    "digits_title": "真实数据：手写数字",
    "digits_text": (
        "scikit-learn 自带的 {images} 张 8 × 8 像素的图片，留出 {held} 张做验证。模型有两个："
        "softmax 回归，以及有 {hidden} 个隐藏单元的 MLP；训练 {epochs} 轮，每批 {batch} 张。用种"
        "子 {tuning} 调学习率，用种子 {report} 评判。同一个种子对所有优化器固定数据划分、初始值和"
        "批次顺序，所以差值是逐个种子相减得到的。"
    ),
    "digits_caption": "{problem}：{seeds} 个种子的平均值和 95% 置信区间",
    "digits_loss": "验证损失",
    "digits_accuracy": "正确率",
    "digits_difference": "与 Adam 之差",
    "digits_verdict": "结论",
    "digits_diverged": "发散",
    "digits_of": "{seeds} 次中 {failed} 次",
    "list_better": "优于 Adam：{names}。",
    "list_worse": "不如 Adam：{names}。",
    "list_tie": "与 Adam 分不出高下：{names}。",
    "list_few": "种子太少，无法判断：{names}。",
    "list_diverged": "发散：{names}。",
    "digits_meaning": (
        "“更好”和“更差”是指：对表中全部比较做 Holm 校正后，配对 t 检验的 p 值小于 5%，而且差值可能"
        "超过 Adam 损失的 {margin:g}%。“分不出高下”是指差值的 95% 区间不超出 ±{coarse:g}%，并不证明"
        "二者相同；“种子太少”是指区间比这更宽。"
    ),
    "method_title": "测量方法",
    "method_budget": (
        "所有优化器的搜索完全一样：{rates} 个学习率，间隔半个数量级，运行中保持不变；然后用另外的"
        "种子细查接近最优者的中间一个及其两侧各四分之一个数量级处。评判种子所用的学习率，由细查所用的"
        "种子重新抽样后选出。其余设置都是规则的默认值。"
    ),
    "method_edge": "最优值落在网格边缘、因此可能还没有调到最好的：{edge}。",
    "method_seeds": (
        "用来调参的种子从不参与评判。问题的规模很小：这些结论只适用于这些问题和这样的训练预算。"
    ),
    "method_numpy": "模型用 NumPy 写成，单线程运行；直线和稀有词用 float64，手写数字用 float32。",
    "method_again": (
        "重新运行：`adamas demo --lang {language} --seeds {seeds}`。English: `adamas demo --lang "
        "en`"
    ),
    "method_versions": "版本：{versions}。",
    "method_file": "全部数字保存在本页旁边的 `{file}` 中。",
}
