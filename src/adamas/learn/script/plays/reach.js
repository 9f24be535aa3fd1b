PLAYS.reach = {
  controls: [logRange("lr", 1e-5, 1, 0.001, 0.1), stepper("epochs", 1000, 1000)],
  show({ lr, epochs }, width) {
    const line = lineProblem(), [[best]] = LINE.least;
    const { points, losses } = trace(RULES.adam, line, epochs, { hypers: { lr } });
    const w = points[epochs][0], thin = Math.ceil(epochs / 200) || 1;
    const through = (slope) => [[0, 0], [10, 10 * slope]];
    return {
      picture: chart({
        key: "reach", width, height: 270, title: say("play.reach.title"),
        x: { low: 0, high: 10, label: "x" }, y: { low: -1, high: 29, label: "y" },
        series: [
          { name: say("play.reach.best"), hue: "ink", points: through(best), dashes: "6 4" },
          { name: `w = ${shown(w, 3)}`, hue: "adam", points: through(w) },
        ],
        scatter: { hue: "muted", points: LINE.x.map((x, k) => [x, LINE.y[k]]) },
      }) + chart({
        key: "reach-loss", width, height: 210, title: say("play.reach.losses"),
        x: { low: 0, high: Math.max(10, epochs), label: say("play.reach.epoch") },
        y: { low: 0.5, high: 400, log: true, label: say("axis.loss") },
        series: [{ hue: "adam", points: losses.map((y, t) => [t, y]).filter(([t]) => t % thin === 0 || t === epochs) }],
        marks: [{ y: line.loss(best), label: say("play.reach.least", { loss: shown(line.loss(best)) }) }],
      }),
      sentence: say("play.reach.sentence", {
        reach: shown(lr * epochs, 3), best: shown(best), w: shown(w), loss: shown(losses[epochs]),
      }),
    };
  },
};
