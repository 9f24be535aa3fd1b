// How far the line's loss lies above the least on the mean of the last fifth, over learning rates.
function overRates(rule, rates, batch, steps, hypers = {}, seeds = 2) {
  const line = lineProblem({}), [best] = line.least, bend = line.loss(best + 1) - line.loss(best);
  const tail = Math.ceil(steps / 5);
  return rates.map((lr) => {
    let sum = 0;
    for (let seed = 0; seed < seeds; seed++) {
      const run = new Run(RULES[rule], lineProblem({ batch, seed }), { hypers: { lr, ...hypers } });
      for (let k = 1; k <= steps; k++) {
        const { p } = run.step();
        if (k > steps - tail) sum += (bend * (p[0] - best) ** 2) / tail / seeds;
      }
    }
    return [lr, sum];
  });
}

// Four learning rates a decade, from 10**low to 10**high.
const ratesBetween = (low, high) =>
  Array.from({ length: 4 * (high - low) + 1 }, (_, k) => 10 ** ((4 * low + k) / 4));

const lowest = (points) => points.reduce((a, b) => (b[1] < a[1] ? b : a));

PLAYS.noise_beta2 = {
  controls: [range("beta2", 0, 0.999, 0.001, 0.5)],
  show({ beta2 }, width) {
    const over = (value) => overRates("adam", ratesBetween(-2.5, 0), 1, 400, { beta2: value }), long = 0.999;
    const usual = (this.usual = this.usual || over(long)), own = over(beta2);
    const [[rate, loss], [usual_rate, usual_loss]] = [lowest(own), lowest(usual)];
    return {
      picture: chart({
        key: "noise_beta2", width, height: 300, title: say("play.noise_beta2.title"),
        x: { low: 10 ** -2.5, high: 1, log: true, label: say("play.noise_beta2.x") },
        y: { low: 0.01, high: 1e3, log: true, label: say("play.noise_beta2.y") },
        series: [
          { name: `beta2 = ${long}`, hue: "sgd", points: usual, dashes: "6 3" },
          { name: `beta2 = ${shown(beta2, 3)}`, hue: "adam", points: own },
        ],
        dots: [{ x: rate, y: loss, hue: "adam" }, { x: usual_rate, y: usual_loss, hue: "sgd" }],
      }),
      sentence: say("play.noise_beta2.sentence", {
        usual: long, beta2: shown(beta2, 3), rate: shown(rate, 2), loss: shown(loss, 2),
        usual_rate: shown(usual_rate, 2), usual_loss: shown(usual_loss, 2),
      }),
    };
  },
};
