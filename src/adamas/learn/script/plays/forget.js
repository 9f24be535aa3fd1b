PLAYS.forget = {
  controls: [range("beta2", 0.5, 0.999, 0.001, 0.99)],
  show({ beta2 }, width) {
    const steps = 1000, early = 20, large = 10;
    const lengths = (rule, hypers) => {
      const run = new Run(RULES[rule], PROBLEMS.parabola, { hypers: { lr: 1, ...hypers } });
      return Array.from({ length: steps }, (_, k) => {
        const { before, p } = run.step([k < early ? large : 1]);
        return [k + 1, before[0] - p[0]];
      });
    };
    const sum = lengths("adagrad", {}), mean = lengths("rmsprop", { beta2 });
    const thin = (points) => points.filter(([t]) => t <= 2 * early || t % 10 === 0);
    const low = Math.min(...sum.map(([, y]) => y)), high = Math.max(...mean.map(([, y]) => y));
    return {
      picture: chart({
        key: "forget", width, height: 270, title: say("play.forget.title"),
        x: { low: 0, high: steps, label: say("axis.step") },
        y: { low: low / 1.5, high: Math.max(2, 1.4 * high), log: true, label: say("play.forget.y") },
        series: [
          { name: "RMSProp", hue: "rmsprop", points: thin(mean) },
          { name: "Adagrad", hue: "adagrad", points: thin(sum) },
        ],
        marks: [{ y: 1, label: "1 lr" }],
      }),
      sentence: say("play.forget.sentence", {
        beta2, steps, at: early + 1, mean: shown(mean[early][1], 3), sum: shown(sum[early][1], 3),
        mean_end: shown(mean[steps - 1][1], 3), sum_end: shown(sum[steps - 1][1], 3),
      }),
    };
  },
};
