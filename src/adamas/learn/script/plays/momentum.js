PLAYS.momentum = {
  controls: [range("beta", 0, 0.99, 0.01, 0.9)],
  show({ beta }, width) {
    const half = Math.max(1, Math.ceil(Math.log(0.5) / Math.log(beta) - 1e-9)), turn = 60, steps = 120;
    const bars = Array.from({ length: 41 }, (_, k) =>
      ({ x: k, y: (1 - beta) * beta ** k, hue: k < half ? "adam" : "muted" }));
    const run = new Run(RULES.adam, PROBLEMS.parabola, { hypers: { beta1: beta } });
    const given = [], mean = [], still = [[1, 1], [turn, 1], [turn + 1, -1], [steps, -1]];
    for (let t = 1; t <= steps; t++) {
      given.push([t, (t <= turn ? 1 : -1) + normal(4, t)]);
      run.step([given[t - 1][1]]);
      mean.push([t, run.state("m")[0]]);
    }
    return {
      picture: chart({
        key: "momentum-bars", width, height: 190, title: say("play.momentum.bars"),
        x: { low: -0.7, high: 40.5, label: say("play.momentum.back") },
        y: { low: 0, high: 1.1 * (1 - beta), label: say("play.momentum.weight") },
        bars,
        marks: half <= 40 ? [{ x: half - 0.5, label: say("play.momentum.half"), hue: "adam" }] : [],
      }) + chart({
        key: "momentum", width, height: 260, title: say("play.momentum.title"),
        x: { low: 0, high: steps, label: say("axis.step") },
        y: { low: -3.6, high: 3.6 },
        series: [
          { name: say("play.momentum.noisy"), hue: "muted", points: given },
          { name: say("play.momentum.still"), hue: "ink", points: still, dashes: "2 4" },
          { name: say("play.momentum.mean"), hue: "adam", points: mean },
        ],
      }),
      sentence: say("play.momentum.sentence", {
        beta, half, first: shown(1 - beta, 3), noise: shown(100 * Math.sqrt((1 - beta) / (1 + beta)), 3),
      }),
    };
  },
};
