PLAYS.noise = {
  controls: [range("noise", 0, 10, 0.1, 2)],
  show({ noise }, width) {
    const steps = 100, gradients = [], direction = [], size = [];
    const run = new Run(RULES.adam, { start: [0] }, { hypers: { lr: 1 } });
    for (let k = 1; k <= steps; k++) {
      const g = 1 + noise * normal(1, k);
      const { values } = run.step([g]), named = (name) => values[run.rule.names.indexOf(name)][0];
      gradients.push([k, g]);
      direction.push([k, named("m_hat")]);
      size.push([k, Math.sqrt(named("v_hat"))]);
    }
    const high = Math.max(2, 2.6 * noise + 1), step = direction.map(([k, m], i) => m / size[i][1]);
    const mean = step.reduce((sum, x) => sum + x, 0) / steps;
    return {
      picture: chart({
        key: "noise", width, height: 300, title: say("play.noise.title"),
        x: { low: 1, high: steps, label: say("axis.step") },
        y: { low: 2 - high, high, label: say("axis.gradient") },
        scatter: { hue: "muted", points: gradients },
        series: [
          { name: say("play.noise.size"), hue: "rmsprop", points: size },
          { name: say("play.noise.direction"), hue: "adam", points: direction },
        ],
      }),
      sentence: say("play.noise.sentence",
        { size: shown(size[steps - 1][1], 3), noise: shown(noise, 2), step: shown(mean, 2) }),
    };
  },
};
