// The best of a hundred rates from 10**-4 to 10 for each racer, found once for a problem.
const RACERS = { sgd: "sgd", momentum: "momentum", adam: "adam" }, BEST_RATES = {};

// Where a run ends: the mean loss of its last 20 steps, since single ones swing.
const lateLoss = ({ losses }) => losses.slice(-20).reduce((sum, loss) => sum + loss / 20, 0);

function bestRates(problem) {
  return BEST_RATES[problem] = BEST_RATES[problem] || Object.fromEntries(Object.keys(RACERS).map((rule) => {
    const found = Array.from({ length: 101 }, (_, k) => 10 ** ((k - 80) / 20)).map((lr) =>
      [lr, lateLoss(trace(RULES[rule], PROBLEMS[problem], 100, { hypers: { lr } }))]);
    return [rule, lowest(found.filter(([, loss]) => Number.isFinite(loss)))];
  }));
}

PLAYS.limits = {
  controls: [
    choice("problem", ["valley", "diagonal", "rosenbrock"], "valley"),
    logRange("sgd", 1e-4, 10, 10 ** -1.45),
    logRange("momentum", 1e-4, 10, 10 ** -2.45),
    logRange("adam", 1e-4, 10, 10 ** -0.7),
  ],
  show(values, width) {
    const problem = PROBLEMS[values.problem], [x, y] = problem.view, best = bestRates(values.problem);
    const rows = [];
    const series = Object.entries(RACERS).map(([rule, hue]) => {
      const run = trace(RULES[rule], problem, 100, { hypers: { lr: values[rule] } }), loss = lateLoss(run);
      const end = loss < 1e6 ? shown(loss, 2) : say("play.limits.gone");
      rows.push([titleOf(rule), shown(values[rule], 2), end,
        shown(best[rule][0], 2), shown(best[rule][1], 2)]);
      return { name: titleOf(rule), hue, points: run.points.filter((p) => p.every((v) => Math.abs(v) < 1e6)) };
    });
    return {
      picture: chart({
        key: "limits", width, height: 340, title: say("play.limits.title"),
        x: { low: x[0], high: x[1] }, y: { low: y[0], high: y[1] },
        contours: { value: problem.loss, levels: levelsOf(problem, 8) },
        dots: [{ x: problem.least[0], y: problem.least[1], hue: "ink", hollow: true }],
        series,
      }),
      numbers: tableOf(["optimizer", "lr", "loss", "best", "least"].map((key) =>
        say(`play.limits.head_${key}`)), rows),
    };
  },
};
