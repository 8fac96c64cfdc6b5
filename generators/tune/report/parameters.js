// Best and median time of each parameter's values, as a chart and as a table.

// More are in the table; a chart of all would be a page of its own.
const MOST_VALUES = 12;

function chartRows(effects) {
  const rows = [];
  for (const { name, values } of effects.filter((one) => one.values.length > 1)) {
    const kept = new Set([...values].sort((a, b) => a.best - b.best).slice(0, MOST_VALUES));
    const cut = values.length > MOST_VALUES ? ` (${MOST_VALUES} best of ${values.length})` : "";
    rows.push({ heading: `${name}${cut}` });
    for (const one of values.filter((value) => kept.has(value))) rows.push({ ...one, name });
  }
  return rows;
}

function showParameterTable(effects) {
  const rows = effects.flatMap(({ name, values }) => values.map((one) => ({ ...one, name })));
  fillTable(document.getElementById("parameters"), [
    words("Parameter", "name", (row) => row.name),
    words("Value", "value", (row) => row.value),
    number("Candidates", "count", (row) => row.count, String),
    number("Best", "best", (row) => row.best, times),
    number("Median", "median", (row) => row.median, times),
  ], rows, (line, row) => {
    line.dataset.key = `${row.name}=${row.value}`;
    if (row.value === effects.find((one) => one.name === row.name).values[0].value) line.classList.add("begins");
  });
}

function rowAxis(rows) {
  const shorten = (text) => (text.length > 26 ? `${text.slice(0, 25)}…` : text);
  return {
    type: "linear", reverse: true, min: -0.6, max: rows.length - 0.4, grid: { display: false, drawBorder: false },
    afterBuildTicks: (axis) => { axis.ticks = rows.map((_, value) => ({ value })); },
    ticks: {
      autoSkip: false, color: (tick) => colour(rows[tick.index]?.heading ? "text" : "quiet"),
      font: (tick) => ({ weight: rows[tick.index]?.heading ? "600" : "400" }),
      callback: (index) => shorten(rows[index].heading || rows[index].value),
    },
  };
}

function parameterDatasets(rows) {
  const points = (field) => rows.flatMap((row, y) => (row.heading ? [] : [{
    x: row[field], y, title: `${row.name}=${row.value}`,
    lines: [`best ${times(row.best)}, median ${times(row.median)}`, plural(row.count, "candidate", "candidates")],
  }]));
  const segments = rows.flatMap((row, y) => (row.heading ? [] : [{ x: row.best, y }, { x: row.median, y },
    { x: NaN, y: NaN }]));
  return [
    { type: "scatter", label: "best", data: points("best"), pointStyle: "circle", pointRadius: 5, order: 0,
      backgroundColor: colour("accent"), borderColor: colour("accent") },
    { type: "scatter", label: "median", data: points("median"), pointStyle: "rect", pointRadius: 5, order: 1,
      backgroundColor: colour("page"), borderColor: colour("quiet"), pointBorderWidth: 1.5 },
    { type: "line", silent: true, label: "from best to median", data: segments, pointRadius: 0, pointHitRadius: 0,
      borderColor: colour("grid"), borderWidth: 3, order: 2 },
  ];
}

function showParameters(search) {
  const effects = parameterEffects(search);
  showParameterTable(effects);
  const fixed = effects.filter((one) => one.values.length === 1).map((one) => `${one.name}=${one.values[0].value}`);
  const never = fixed.length ? ` Never varied: ${fixed.join(", ")}.` : "";
  document.getElementById("parameters-note").textContent =
    "The best and the median time of the candidates that have a value, by the fastest time of all. Parameters whose " +
    `choice costs most come first; the autoschedulers' candidates do not count.${never}`;
  const rows = chartRows(effects);
  const plot = document.getElementById("parameters-plot");
  plot.hidden = !rows.length;
  if (!rows.length) return;
  plot.style.height = `${100 + 20 * rows.length}px`;
  document.getElementById("parameters").parentElement.style.maxHeight = `${Math.max(420, 100 + 20 * rows.length)}px`;
  const [, most] = padded(rows.flatMap((row) => (row.heading ? [] : [row.median])), 1.08);
  draw("chart-parameters", "best and median time of each parameter's values", {
    data: { datasets: parameterDatasets(rows) },
    options: { scales: { x: logAxis("time / fastest", 0.97, most), y: rowAxis(rows) } },
  });
}
