PLAYS.divide = {
  controls: [
    choice("rule", ["sgd", "adagrad", "rmsprop", "adam"], "sgd", ["SGD", "Adagrad", "RMSProp", "Adam"]),
    logRange("ratio", 1, 1000, 200),
  ],
  show({ rule, ratio }, width) {
    const steps = 100, lr = rule === "sgd" ? 1 / ratio : 0.02;
    const uneven = {
      start: [1, 1], loss: (a, b) => 0.5 * (a * a + ratio * b * b), gradient: (a, b) => [a, ratio * b],
    };
    const { points } = trace(RULES[rule], uneven, steps, { hypers: { lr } });
    const way = (k) => points.map((p, t) => [t, p[k]]);
    return {
      picture: chart({
        key: "divide", width, height: 260, title: say("play.divide.title"),
        x: { low: 0, high: steps, label: say("axis.step") },
        y: { low: Math.min(0, ...points.flat()) * 1.1, high: 1.05, label: say("axis.w") },
        series: [
          { name: say("play.divide.small"), hue: "hue5", points: way(0) },
          { name: say("play.divide.large"), hue: "hue7", points: way(1), dashes: "7 5" },
        ],
        marks: [{ y: 0 }],
      }),
      sentence: say("play.divide.sentence", {
        rule: titleOf(rule), lr: shown(lr, 3), ratio: shown(ratio, 3),
        a: shown(1 - points[1][0], 3), b: shown(1 - points[1][1], 3), left: shown(points[steps][0], 3), steps,
      }),
    };
  },
};
