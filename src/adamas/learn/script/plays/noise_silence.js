PLAYS.noise_silence = {
  controls: [logRange("silence", 100, 1e5, 1e4, 0.1)],
  show({ silence }, width) {
    // All lengths of silence at once; a gradient of 1 for so long that nothing is left to correct.
    const lengths = [...Array.from({ length: 25 }, (_, i) => 10 ** (2 + i / 8)), Math.round(silence)];
    const run = new Run(RULES.adam, { start: lengths.map(() => 0) }, { hypers: { lr: 1 } });
    run.t = 1e5;
    run.states = [lengths.map((k) => 0.9 ** k), lengths.map((k) => 0.999 ** k)];
    const first = run.step(lengths.map(() => 1)).p.map((p) => -p);
    for (let k = 0; k < 300; k++) run.step(lengths.map(() => 0));
    const total = run.p.map((p) => -p), here = lengths.length - 1;
    const points = (values) => values.slice(0, here).map((y, i) => [lengths[i], y]);
    return {
      picture: chart({
        key: "noise_silence", width, height: 300, title: say("play.noise_silence.title"),
        x: { low: 100, high: 1e5, log: true, label: say("play.noise_silence.x") },
        y: { low: 0.1, high: 100, log: true, label: say("play.noise_silence.y") },
        series: [
          { name: say("play.noise_silence.total"), hue: "adam", points: points(total) },
          { name: say("play.noise_silence.first"), hue: "rmsprop", points: points(first) },
        ],
        dots: [total, first].map((values, k) =>
          ({ x: lengths[here], y: values[here], hue: k ? "rmsprop" : "adam" })),
      }),
      sentence: say("play.noise_silence.sentence", {
        silence: lengths[here], root: shown(0.999 ** (lengths[here] / 2), 2),
        first: shown(first[here], 3), total: shown(total[here], 3),
      }),
    };
  },
};
