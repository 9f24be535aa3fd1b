PLAYS.adam = {
  controls: [
    choice("name", ["g", "m", "v", "m_hat", "v_hat", "step"], "m_hat"),
    stepper("t", 200, 40),
  ],
  show({ name, t }, width) {
    const steps = 200, lr = 0.05;
    const run = new Run(RULES.adam, PROBLEMS.parabola, { hypers: { lr }, noise: 1, seed: 1 });
    const curve = [], given = [];
    let rows = emptyRows(RULES.adam);
    for (let k = 1; k <= steps; k++) {
      const before = run.p[0], g = run.gradient(), found = {};
      const known = numbersBefore(run, g), { values } = run.step(g);
      if (k === t) rows = rowsOf(RULES.adam, known, values);
      run.rule.names.forEach((one, at) => { found[one] = values[at][0]; });
      found.step = run.p[0] - before;
      curve.push([k, found[name]]);
      given.push([k, name.startsWith("v") ? g[0] * g[0] : g[0]]);
    }
    const beside = { m: "g", m_hat: "g", v: "square", v_hat: "square" }[name];
    const all = [...curve, ...(beside ? given : [])].map(([, y]) => y);
    return {
      picture: chart({
        key: "adam", width, height: 270, title: say(`play.adam.is.${name}`),
        x: { low: 0, high: steps, label: say("axis.step") },
        y: { low: Math.min(0, ...all) * 1.1, high: Math.max(...all) * 1.1 },
        series: [
          ...(beside ? [{ name: say(`play.adam.${beside}`), hue: "muted", points: given }] : []),
          { name: say(`play.adam.curve.${name}`), hue: "adam", points: curve },
        ],
        marks: [...(t ? [{ x: t, label: `t = ${t}` }] : []),
          ...(name === "step" ? [{ y: lr, label: "lr" }, { y: -lr, label: "−lr" }] : [])],
      }),
      numbers: linesTable(rows, say("play.adam.lines", { t })),
      sentence: t
        ? say("play.adam.sentence", { is: say(`play.adam.is.${name}`), t, value: shown(curve[t - 1][1]) })
        : say(`play.adam.is.${name}`),
    };
  },
};
