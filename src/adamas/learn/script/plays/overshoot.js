PLAYS.overshoot = {
  controls: [range("beta", 0, 0.99, 0.01, 0.9)],
  show({ beta }, width) {
    const steps = 100, hypers = { lr: 0.1 };
    const way = (rule, more) =>
      trace(RULES[rule], PROBLEMS.parabola, steps, { hypers: { ...hypers, ...more } }).points.map(([w], t) => [t, w]);
    const plain = way("sgd", {}), moved = way("momentum", { beta });
    const times = moved.filter(([, w], t) => t && w * moved[t - 1][1] < 0).length;
    return {
      picture: chart({
        key: "overshoot", width, height: 260, title: say("play.overshoot.title"),
        x: { low: 0, high: steps, label: say("axis.step") },
        y: { low: -2.1, high: 2.1, label: say("axis.w") },
        series: [
          { name: "SGD", hue: "sgd", points: plain, dashes: "6 3" },
          { name: "Momentum", hue: "momentum", points: moved },
        ],
        marks: [{ y: 0 }],
      }),
      sentence: say("play.overshoot.sentence",
        { beta, times, far: above(Math.max(0, ...moved.map(([, w]) => -w)), 3) }),
    };
  },
};
