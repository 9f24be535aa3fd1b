PLAYS.eps = {
  controls: [
    logRange("eps", 1e-12, 1, 1e-8, 0.25),
    choice("t", ["1", "10", "100", "1000"], "100", ["1", "10", "100", "1000"]),
  ],
  show({ eps, t }, width) {
    const sizes = Array.from({ length: 81 }, (_, k) => 10 ** (-14 + k / 5));
    const problem = { start: sizes.map(() => 0), gradient: () => sizes };
    // All sizes at once, as a parameter of so many elements.
    const lengths = (rule, own) => {
      const run = new Run(RULES[rule], problem, { hypers: { lr: 1, beta2: 0.999, eps: own } });
      let last;
      for (let k = 0; k < Number(t); k++) last = run.step();
      return last.p.map((p, i) => last.before[i] - p);
    };
    const fields = {};
    const series = [["outside", "adam", "adam"], ["hat", "adam_eps_hat", "sgd"], ["inside", "rmsprop_eps_inside", "rmsprop"]]
      .map(([name, rule, hue]) => {
        const full = lengths(rule, 0);
        const points = lengths(rule, eps).map((length, i) => [sizes[i], length / full[i]]);
        fields[name] = shown(crossing(points, 0.5), 2);
        return { name: say(`play.eps.${name}`), hue, points, dashes: name === "hat" ? "6 3" : "" };
      });
    return {
      picture: chart({
        key: "eps", width, height: 300, title: say("play.eps.title"),
        x: { low: 1e-14, high: 100, log: true, label: say("play.eps.x") },
        y: { low: 0, high: 1.05, label: say("play.eps.y"), ticks: [0, 0.5, 1] },
        marks: [{ y: 0.5, hue: "muted" }],
        series,
      }),
      sentence: say("play.eps.sentence", fields),
    };
  },
};

// Where rising points pass a height, on a straight line over the logarithm.
function crossing(points, height) {
  const k = points.findIndex(([, y]) => y >= height);
  if (k < 1) return points[Math.max(k, 0)][0];
  const [[x0, y0], [x1, y1]] = [points[k - 1], points[k]];
  return x0 * (x1 / x0) ** ((height - y0) / (y1 - y0));
}
