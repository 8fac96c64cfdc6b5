// Every measured candidate against the time spent, with the best so far of each group.

function progressLine(group, value) {
  const points = group.bests.map((one) => ({ x: one.elapsed, y: value(one) }));
  const last = points[points.length - 1];
  return {
    type: "line", label: `best so far: ${groupName(group.name)}`, stepped: "before", pointRadius: 0, pointStyle: "line",
    data: [...points, { x: group.seconds, y: last.y }], pointHitRadius: 0, borderWidth: group.name === OURS ? 2 : 1.5,
    borderColor: groupColour(group.name), borderDash: DASHES.get(group.name), order: 1,
    // The line of a single candidate is a point.
    silent: group.measured.length < 2,
  };
}

function progressPoints(search, strategy, value) {
  const candidates = search.measured.filter((one) => one.strategy === strategy);
  return {
    type: "scatter", label: strategyName(strategy), order: strategy === "start" ? -1 : 0, ...pointLook(strategy),
    data: candidates.map((one) => ({ x: one.elapsed, y: value(one), candidate: one })),
  };
}

function drawProgress(search, unit) {
  const value = unit === "ms" ? (one) => one.minimum_ms : (one) => one.gflops;
  const strategies = [...new Set(search.measured.map((one) => one.strategy))];
  const groups = [...search.groups.values()].filter((group) => group.best);
  const [least, most] = padded(search.measured.map(value));
  const longest = Math.max(...groups.map((group) => group.seconds), 0);
  draw("chart-progress", `${plural(search.measured.length, "candidate", "candidates")} against the time spent`, {
    data: { datasets: [...strategies.map((strategy) => progressPoints(search, strategy, value)),
      ...groups.map((group) => progressLine(group, value))] },
    options: { scales: {
      x: linearAxis("seconds spent", { min: 0, max: longest * 1.02 || 1 }),
      y: logAxis(unit === "ms" ? "fastest run, ms" : "GFLOP/s", least, most),
    } },
  });
}
