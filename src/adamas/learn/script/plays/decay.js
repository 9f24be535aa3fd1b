PLAYS.decay = {
  controls: [logRange("decay", 0.01, 10, 0.5)],
  show({ decay }, width) {
    const steps = 1000, large = 100, little = 1, fields = { steps, large, little };
    // Gradients that change their sign at every step.
    const idle = { start: [1, 1], timed: true, loss: () => 0,
      gradient: (x, y, t) => (t % 2 ? [large, little] : [-large, -little]) };
    const series = [["l2", "adam", "sgd"], ["apart", "adamw", "adam"]].flatMap(([name, rule, hue]) => {
      const { points } = trace(RULES[rule], idle, steps, { hypers: { lr: 2e-3, weight_decay: decay } });
      return ["large", "little"].map((size, k) => {
        fields[`${name}_${size}`] = shown(points[steps][k], 2);
        return { name: say(`play.decay.${name}_${size}`, fields), hue, dashes: k ? "2 5" : "",
          points: points.filter((_, t) => t % 25 === 0).map((p, i) => [25 * i, p[k]]) };
      });
    });
    return {
      picture: chart({
        key: "decay", width, height: 280, title: say("play.decay.title", fields),
        x: { low: 0, high: steps, label: say("axis.step") },
        y: { low: 0, high: 1.05, label: say("axis.w") },
        series,
      }),
      sentence: say("play.decay.sentence", fields),
    };
  },
};
