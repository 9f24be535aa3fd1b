PLAYS.rest = {
  controls: [range("count", 1, 40, 1, 1), range("beta1", 0, 0.99, 0.01, 0.9)],
  show({ count, beta1 }, width) {
    const lr = 0.01, steps = 120;
    const run = new Run(RULES.adam, PROBLEMS.parabola, { start: [0], hypers: { lr, beta1 } });
    const dense = [[0, 0]], lazy = [[0, 0]];
    for (let t = 1; t <= steps; t++) {
      run.step([t <= count ? 1 : 0]);
      dense.push([t, -run.p[0] / lr]);
      lazy.push([t, t <= count ? -run.p[0] / lr : lazy[count][1]]);
    }
    const stop = lazy[count][1], end = dense[steps][1];
    return {
      picture: chart({
        key: "rest", width, height: 280, title: say("play.rest.title"),
        x: { low: 0, high: steps, label: say("axis.steps") },
        y: { low: 0, high: end * 1.1, label: say("play.rest.y") },
        marks: [{ x: count, label: say("play.rest.last") }],
        series: [
          { name: say("play.rest.dense"), hue: "adam", points: dense },
          { name: say("play.rest.lazy"), hue: "hue5", points: lazy, dashes: "6 3" },
        ],
      }),
      sentence: say("play.rest.sentence", { after: shown(end - stop, 3) }),
    };
  },
};
