PLAYS.rare = {
  controls: [
    range("every", 2, 200, 1, 100),
    choice("rule", ["adam", "rmsprop", "adagrad", "momentum", "sgd"], "adam",
      ["Adam", "RMSProp", "Adagrad", "Momentum", "SGD"]),
  ],
  show({ every, rule }, width) {
    const lr = 0.01, steps = 1000;
    const run = new Run(RULES[rule], PROBLEMS.bowl, { start: [0, 0], hypers: { lr } });
    const often = [[0, 0]], seldom = [[0, 0]];
    for (let t = 1; t <= steps; t++) {
      run.step([1, t % every === 0 ? 1 : 0]);
      if (t % 5 === 0) {
        often.push([t, -run.p[0] / lr]);
        seldom.push([t, -run.p[1] / lr]);
      }
    }
    const [a, b] = [often, seldom].map((points) => points[points.length - 1][1]);
    return {
      picture: chart({
        key: "rare", width, height: 300, title: say("play.rare.title"),
        x: { low: 0, high: steps, label: say("axis.steps") },
        y: { low: 0, high: Math.max(a, b) * 1.05, label: say("play.rare.y") },
        series: [
          { name: say("play.rare.often"), hue: "sgd", points: often, dashes: "6 3" },
          { name: say("play.rare.seldom"), hue: "adam", points: seldom },
        ],
      }),
      sentence: say("play.rare.sentence", { rule: titleOf(rule), every, share: shown((100 * b) / a, 3) }),
    };
  },
};
