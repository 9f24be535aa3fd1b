PLAYS.frameworks = {
  controls: [
    choice("rule", ["adam", "adamw", "rmsprop", "momentum", "lion"], "adam",
      ["Adam", "AdamW", "RMSProp", "Momentum", "Lion"]),
    range("steps", 20, 400, 10, 100),
  ],
  show({ rule, steps }, width) {
    const hypers = { lr: 0.01 }, start = [1, -0.7];
    const gradients = Array.from({ length: steps }, (_, k) => [normal(1, 2 * k), normal(1, 2 * k + 1)]);
    const [wide, narrow] = ["float64", "float32"].map((round) => {
      const run = new Run(RULES[rule], PROBLEMS.bowl, { hypers, start, round });
      return gradients.map((g) => run.step(g.map(run.round)).p[0]);
    });
    const off = wide.map((p, k) => [k + 1, Math.abs(p - narrow[k]) / Math.abs(p)]);
    const unit = 2 ** -24, most = Math.max(...off.map(([, x]) => x));
    return {
      picture: chart({
        key: "frameworks", width, height: 280, title: say("play.frameworks.title"),
        x: { low: 1, high: steps, label: say("axis.step") },
        y: { low: 1e-10, high: 1e-4, log: true, label: say("play.frameworks.y") },
        marks: [{ y: unit, label: say("play.frameworks.unit") }],
        series: [{ hue: "adam", points: off }],
      }),
      sentence: say("play.frameworks.sentence", { steps, most: above(most, 2), units: shown(most / unit, 2) }),
    };
  },
};
