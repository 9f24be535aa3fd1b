PLAYS.noise_batch = {
  controls: [choice("rule", ["adam", "momentum", "sgd"], "adam", ["Adam", "momentum", "SGD"])],
  show({ rule }, width) {
    const samples = 1280, [low, high] = { adam: [-3, 0], momentum: [-6, -2], sgd: [-5, -1] }[rule];
    const fields = { b2: 8, b3: 64 };
    const looks = [[1, "sgd"], [fields.b2, "adam"], [fields.b3, "momentum"]], dots = [];
    const series = looks.map(([batch, hue]) => {
      const points = overRates(rule, ratesBetween(low, high), batch, samples / batch);
      const [rate, loss] = lowest(points.filter(([, y]) => Number.isFinite(y)));
      dots.push({ x: rate, y: loss, hue });
      fields[`rate_${batch}`] = shown(rate, 2);
      return { name: say("play.noise_batch.batch", { batch }), hue, points };
    });
    return {
      picture: chart({
        key: "noise_batch", width, height: 300, title: say("play.noise_batch.title"),
        x: { low: 10 ** low, high: 10 ** high, log: true, label: say("play.noise_beta2.x") },
        y: { low: 1e-3, high: 1e3, log: true, label: say("play.noise_beta2.y") },
        series, dots,
      }),
      sentence: say("play.noise_batch.sentence", fields),
    };
  },
};
