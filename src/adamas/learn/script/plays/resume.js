PLAYS.resume = {
  controls: [range("every", 50, 1000, 50, 500), logRange("lr", 0.01, 1, 0.1)],
  show({ every, lr }, width) {
    const steps = 1000, hypers = { lr };
    const points = (losses) => losses.map((loss, t) => [t, loss]).filter(([t]) => t % 2 === 0);
    const kept = trace(RULES.adam, PROBLEMS.valley, steps, { hypers }).losses;
    const fresh = [kept[0]];
    let start = PROBLEMS.valley.start;
    while (fresh.length <= steps) {
      const part = trace(RULES.adam, PROBLEMS.valley, Math.min(every, steps + 1 - fresh.length), { hypers, start });
      fresh.push(...part.losses.slice(1));
      start = part.run.p;
    }
    return {
      picture: chart({
        key: "resume", width, height: 320, title: say("play.resume.title"),
        x: { low: 0, high: steps, label: say("axis.steps") },
        y: { low: tensBelow(Math.min(...kept, ...fresh)), high: 100, log: true, label: say("axis.loss") },
        series: [
          { name: say("play.resume.fresh"), hue: "sgd", points: points(fresh), dashes: "6 3" },
          { name: say("play.resume.kept"), hue: "adam", points: points(kept) },
        ],
      }),
      sentence: say("play.resume.sentence",
        { kept: shown(kept[steps], 2), fresh: shown(fresh[steps], 2), every, steps }),
    };
  },
};
