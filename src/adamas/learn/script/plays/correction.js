PLAYS.correction = {
  controls: [
    range("beta1", 0, 0.99, 0.01, 0.9),
    range("beta2", 0.5, 0.999, 0.001, 0.999),
    range("t", 2, 100, 1, 10),
  ],
  show({ beta1, beta2, t }, width) {
    const run = new Run(RULES.adam, PROBLEMS.parabola, { hypers: { lr: 1, beta1, beta2, eps: 0 } });
    const plain = [], corrected = [];
    for (let k = 1; k <= t; k++) {
      const { before, p } = run.step([1]);
      corrected.push([k, before[0] - p[0]]);
      plain.push([k, run.state("m")[0] / Math.sqrt(run.state("v")[0])]);
    }
    const high = Math.max(1.5, ...plain.map(([, y]) => y)) * 1.1;
    return {
      picture: chart({
        key: "correction", width, height: 300, title: say("play.correction.title"),
        x: { low: 1, high: t, label: say("axis.step") },
        y: { low: 0, high, label: say("play.correction.y") },
        series: [
          { name: say("play.correction.without"), hue: "sgd", points: plain, dots: t <= 30, dashes: "6 3" },
          { name: say("play.correction.with"), hue: "adam", points: corrected, dots: t <= 30 },
        ],
      }),
      sentence: say("play.correction.sentence",
        { first: shown(plain[0][1], 3), t, last: shown(plain[t - 1][1], 3) }),
    };
  },
};
