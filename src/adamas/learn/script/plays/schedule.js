PLAYS.schedule = {
  controls: [logRange("lr", 0.003, 1, 0.1), range("seed", 0, 9, 1, 0)],
  show({ lr, seed }, width) {
    const steps = 500, last = 100, [[best]] = LINE.least;
    const run = (rate) => trace(RULES.adam, lineProblem({ batch: 4, seed }), steps, { hypers: { lr: rate } })
      .points.map(([w], t) => [t, Math.abs(w - best)]);
    const both = { constant: run(lr), cosine: run(cosine(lr, steps)) };
    const left = (way) =>
      shown(Math.sqrt(way.slice(-last).reduce((sum, [, d]) => sum + d * d, 0) / last), 2);
    const thin = (way) => way.filter(([t]) => t % 3 === 0);
    return {
      picture: chart({
        key: "schedule", width, height: 280, title: say("play.schedule.title"),
        x: { low: 0, high: steps, label: say("axis.step") },
        y: { low: 1e-4, high: 5, log: true, label: say("play.schedule.y") },
        series: [
          { name: say("play.schedule.constant"), hue: "sgd", points: thin(both.constant) },
          { name: say("play.schedule.cosine"), hue: "adam", points: thin(both.cosine) },
        ],
      }),
      sentence: say("play.schedule.sentence",
        { last, constant: left(both.constant), cosine: left(both.cosine) }),
    };
  },
};
