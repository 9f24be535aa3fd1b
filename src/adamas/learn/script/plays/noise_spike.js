PLAYS.noise_spike = {
  controls: [range("beta2", 0.95, 0.999, 0.001, 0.99)],
  show({ beta2 }, width) {
    const steps = 2500;
    const { losses } = trace(RULES.adam, PROBLEMS.parabola, steps, { hypers: { lr: 0.01, beta2 } });
    const least = losses.indexOf(Math.min(...losses)), later = losses.slice(least);
    const most = least + later.indexOf(Math.max(...later));
    // The highest loss of every ten steps: it swings.
    const points = losses.filter((_, t) => t % 10 === 0).map((_, i) =>
      [10 * i, Math.max(...losses.slice(10 * i, 10 * i + 10))]);
    return {
      picture: chart({
        key: "noise_spike", width, height: 280, title: say("play.noise_spike.title"),
        x: { low: 0, high: steps, label: say("axis.step") },
        y: { low: tensBelow(losses[least]), high: 10, log: true, label: say("axis.loss") },
        series: [{ name: say("axis.loss"), hue: "adam", points }],
        dots: [{ x: least, y: losses[least], hue: "adam" }],
      }),
      sentence: say("play.noise_spike.sentence", {
        least: shown(losses[least], 1), least_at: least, most: shown(losses[most], 1), most_at: most,
      }),
    };
  },
};
