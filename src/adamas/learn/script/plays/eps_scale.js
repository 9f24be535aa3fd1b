PLAYS.eps_scale = {
  controls: [logRange("eps", 1e-12, 1, 1e-8, 0.25)],
  show({ eps }, width) {
    const line = lineProblem({}), steps = 150, small = 0.001, large = 1e5;
    const by = { by_small: shown(small), by_large: shown(large) };
    const runs = [small, 1, large].map((factor) => {
      const problem = { ...line, gradient: (w) => [factor * line.gradient(w)[0]] };
      return trace(RULES.adam, problem, steps, { hypers: { lr: 0.05, eps } }).points.map(([w]) => w);
    });
    const off = (run) => shown(Math.max(...run.map((w, k) => Math.abs(w - runs[1][k]))), 2);
    const looks = [[`× ${by.by_small}`, "sgd", ""], ["× 1", "adam", "9 5"], [`× ${by.by_large}`, "momentum", "2 5"]];
    return {
      picture: chart({
        key: "eps_scale", width, height: 280, title: say("play.eps_scale.title", { small: by.by_small, large: by.by_large }),
        x: { low: 0, high: steps, label: say("axis.step") },
        y: { low: 0, high: 3, label: say("axis.w") },
        marks: [{ y: line.least[0], label: say("play.eps_scale.best"), hue: "muted" }],
        series: looks.map(([name, hue, dashes], k) =>
          ({ name, hue, dashes, points: runs[k].map((w, t) => [t, w]) })),
      }),
      sentence: say("play.eps_scale.sentence",
        { small: off(runs[0]), large: off(runs[2]), ...by }),
    };
  },
};
