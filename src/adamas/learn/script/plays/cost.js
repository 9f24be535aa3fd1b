PLAYS.cost = {
  controls: [logRange("count", 1e6, 1e12, 1e9, 0.1)],
  show({ count }, width) {
    const gib = (format) => (BYTES[format] * count) / 2 ** 30, formats = Object.keys(BYTES);
    return {
      picture: chart({
        key: "cost", width, height: 260, title: say("play.cost.title"),
        x: { low: -0.6, high: 3.6, ticks: [0, 1, 2, 3], text: (k) => formats[k] },
        y: { low: 0, high: gib("float32") * 1.1, label: say("play.cost.y") },
        bars: formats.map((format, k) => ({ x: k, y: gib(format), width: 0.6, hue: k ? "adam" : "sgd" })),
      }),
      numbers: tableOf(
        [say("play.cost.format"), say("play.cost.each"), say("play.cost.memory")],
        formats.map((format) => [format, shown(BYTES[format], 3), `${shown(gib(format), 3)} GiB`])),
      sentence: say("play.cost.sentence",
        { count: shown(count, 3), whole: shown(gib("float32"), 3), few: shown(gib("int8"), 3) }),
    };
  },
};
