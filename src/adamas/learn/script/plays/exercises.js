// Adam, or another rule, on gradients that are given; and how long its last step was.
function afterGradients(gradients, hypers = {}, rule = "adam", start = 0) {
  const run = new Run(RULES[rule], PROBLEMS.parabola, { start: [start], hypers });
  let before = start;
  for (const g of gradients) {
    before = run.p[0];
    run.step([g]);
  }
  return { run, last: run.p[0], length: Math.abs(run.p[0] - before) };
}

const same = (count, g) => new Array(count).fill(g);

// What each exercise asks for, and how far off a number may be, as a part of it.
const EXERCISES = {
  first: { within: 0.02, answer() {
    const { run } = afterGradients([1]);
    return run.state("m")[0] / Math.sqrt(run.state("v")[0]);
  } },
  memory: { within: 0.08, answer() {
    const [one, two] = [[1], [1, 0]].map((g) => afterGradients(g).run.state("m")[0]);
    return Math.log(0.5) / Math.log(two / one);
  } },
  alternate: { within: 0.05, answer: () =>
    afterGradients(Array.from({ length: 1000 }, (_, t) => (-1) ** t), { lr: 1 }).length },
  reach: { within: 0.15, answer: () =>
    trace(RULES.adam, lineProblem(), 1000, { hypers: { lr: 0.01 } }).points.findIndex(([w]) => w >= 1) },
  eps: { within: 0.02, answer: () => afterGradients(same(10, 1e-8), { lr: 1 }).length },
  sign: { within: 0.02, answer: () => afterGradients([3, 0.001], { lr: 1, beta1: 0, beta2: 0 }).length },
  late: { within: 0.03, answer: () => afterGradients([...same(999, 0), 1], { lr: 1 }).length },
  decoupled: { within: 0.01, answer: () =>
    afterGradients(same(1000, 0), { lr: 0.001, weight_decay: 0.1 }, "adamw", 1).last },
  l2: { within: 0.01, answer: () =>
    afterGradients(same(100, 0), { lr: 0.001, weight_decay: 0.1 }, "adam", 1).last },
  bytes: { within: 0.01, answer: () => 4 * RULES.adam.states.length * 10 },
};

// What is said to a typed answer.
function heard(name, text) {
  const { answer, within } = EXERCISES[name], right = answer(), value = typed(text);
  const key = !Number.isFinite(value) ? "none"
    : Math.abs(value - right) <= within * Math.abs(right) ? "right" : value < right ? "small" : "large";
  return say(`play.exercises.${key}`, key === "none" ? {} : { value: shown(value), right: shown(right, 3) });
}

PLAYS.fit = {
  controls: [logRange("lr", 0.001, 1, 0.1), stepper("t", 300, 150)],
  show({ lr, t }, width) {
    const { points, losses } = trace(RULES.adam, lineProblem(), t, { hypers: { lr } });
    const w = points[t][0], high = Math.max(...LINE.y);
    const curve = losses.map((loss, k) => [k, loss]);
    return {
      picture: chart({
        key: "fit-loss", width, height: 230, title: say("play.fit.loss_title"),
        x: { low: 0, high: 300, label: say("axis.steps") },
        y: { low: 0.5, high: 500, log: true, label: say("axis.loss") },
        series: [{ hue: "adam", points: curve }],
        dots: [{ x: t, y: losses[t], hue: "adam" }],
      }) + chart({
        key: "fit-line", width, height: 260, title: say("play.fit.line_title"),
        x: { low: 0, high: 10, label: "x" }, y: { low: -1, high: high * 1.05, label: "y" },
        scatter: { hue: "muted", points: LINE.x.map((x, k) => [x, LINE.y[k]]) },
        series: [{ hue: "adam", points: [[0, 0], [10, 10 * w]] }],
      }),
      sentence: say("play.fit.sentence", { t, w: shown(w), loss: shown(losses[t]) }),
    };
  },
};
