PLAYS.limits_reddi = {
  controls: [range("beta2", 0, 0.99, 0.01, 0.1)],
  show({ beta2 }, width) {
    const steps = 150, fields = {};
    const series = [["adam", "adam"], ["amsgrad", "sgd"]].map(([rule, hue]) => {
      const { points } = trace(RULES[rule], PROBLEMS.reddi, steps,
        { hypers: { lr: (t) => 0.5 / Math.sqrt(t), beta1: 0, beta2 } });
      fields[rule] = shown(points[steps][0], 2);
      return { name: titleOf(rule), hue, points: points.map(([x], t) => [t, x]) };
    });
    return {
      picture: chart({
        key: "limits_reddi", width, height: 300, title: say("play.limits_reddi.title"),
        x: { low: 0, high: steps, label: say("axis.step") },
        y: { low: -1.15, high: 1.15, label: "x" },
        marks: [{ y: -1, label: say("play.limits_reddi.best"), hue: "muted" }],
        series,
      }),
      sentence: say("play.limits_reddi.sentence", { ...fields, steps }),
    };
  },
};
