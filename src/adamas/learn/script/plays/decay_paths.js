PLAYS.decay_paths = {
  controls: [logRange("decay", 0.01, 10, 0.5)],
  show({ decay }, width) {
    const least = [1.6, 1], steps = 1200, late = 400;
    const problem = {
      start: [-1, -0.6], least, timed: true, view: [[-1.4, 2.4], [-0.9, 1.5]],
      loss: (x, y) => 0.5 * ((x - least[0]) ** 2 + 50 * (y - least[1]) ** 2),
      // One sample; every second one scatters against the one before.
      gradient: (x, y, t) => {
        const off = [0, 1].map((i) => (t % 2 ? 1 : -1) * normal(7, 2 * Math.floor((t + 1) / 2) + i));
        return [x - least[0] + off[0], 50 * (y - least[1] + off[1])];
      },
    };
    const fields = {}, dots = [{ x: least[0], y: least[1], hue: "ink", hollow: true }];
    const series = [["l2", "adam", "sgd"], ["apart", "adamw", "adam"]].map(([name, rule, hue]) => {
      const { points } = trace(RULES[rule], problem, steps, { hypers: { lr: 0.01, weight_decay: decay } });
      const mean = [0, 1].map((i) => points.slice(-late).reduce((sum, p) => sum + p[i], 0) / late);
      fields[`${name}_x`] = shown(mean[0] / least[0], 2);
      fields[`${name}_y`] = shown(mean[1] / least[1], 2);
      dots.push({ x: mean[0], y: mean[1], hue });
      return { name: say(`play.decay_paths.${name}`), hue, points: points.filter((_, t) => t % 6 === 0) };
    });
    series.push({ hue: "muted", dashes: "2 5", points: [[0, 0], least] });
    return {
      picture: chart({
        key: "decay_paths", width, height: 340, title: say("play.decay_paths.title"),
        x: { low: -1.4, high: 2.4, label: say("play.decay_paths.x") },
        y: { low: -0.9, high: 1.5, label: say("play.decay_paths.y") },
        contours: { value: problem.loss, levels: levelsOf(problem, 8) },
        series, dots,
      }),
      sentence: say("play.decay_paths.sentence", fields),
    };
  },
};
