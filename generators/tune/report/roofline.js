// The candidates under what the processor and its memory allow.

// The line's name along the line, above it.
const lineNames = {
  id: "lineNames",
  afterDatasetsDraw(chart) {
    const { ctx, chartArea } = chart;
    ctx.save();
    ctx.fillStyle = colour("quiet");
    ctx.font = `12px ${Chart.defaults.font.family}`;
    ctx.textBaseline = "bottom";
    for (const { named, data } of chart.data.datasets) {
      if (!named) continue;
      const { x: across, y: up } = chart.scales;
      const [from, to] = data.map(({ x, y }) => [across.getPixelForValue(x), up.getPixelForValue(y)]);
      const slope = (to[1] - from[1]) / (to[0] - from[0]);
      const left = slope ? Math.max(from[0], from[0] + (chartArea.bottom - from[1]) / slope) : from[0];
      ctx.save();
      ctx.translate(left, from[1] + slope * (left - from[0]));
      ctx.rotate(Math.atan(slope));
      ctx.fillText(named, slope ? 14 : Math.max(6, to[0] - from[0] - ctx.measureText(named).width - 6), -4);
      ctx.restore();
    }
    ctx.restore();
  },
};

function roofLines(search, least, most) {
  const { peak, bandwidth } = search;
  const line = (label, named, data) => ({
    type: "line", silent: true, label, named, data, pointRadius: 0, pointHitRadius: 0, borderWidth: 1.5,
    borderColor: colour("text"), order: 3,
  });
  const lines = [];
  const ridge = peak && bandwidth ? peak / bandwidth : undefined;
  if (bandwidth) {
    const end = ridge ?? most;
    lines.push(line("bandwidth", `memory, ${figure(bandwidth)} GB/s`,
      [{ x: least, y: least * bandwidth }, { x: end, y: end * bandwidth }]));
  }
  if (peak) {
    const ends = [ridge ?? least, most].map((x) => ({ x, y: peak }));
    lines.push(line("peak", `peak, ${figure(peak)} GFLOP/s`, ends));
  }
  return lines;
}

function rooflineNote(search) {
  const one = search.best || search.measured[0];
  if (!one) return "";
  const text = `The layer has ${figure(one.intensity, 3)} FLOP for each byte, each byte moved once. `;
  if (!search.peak) return `${text}The log does not say the processor's peak.`;
  if (!search.bandwidth) return `${text}The log does not say the memory's bandwidth.`;
  if (one.intensity >= search.peak / search.bandwidth) return `${text}The multiply-add peak limits it.`;
  return `${text}Memory limits it, unless its arrays stay in a cache.`;
}

// All candidates faint, the first choice and the best marked: for the roofline and for the sizes.
function markedCandidates(search, candidates, point) {
  const data = (list) => list.map((one) => ({ ...point(one), candidate: one }));
  const marked = (one) => (one && candidates.includes(one) ? [one] : []);
  return [
    { type: "scatter", label: "candidates", data: data(candidates), order: 2, ...faintLook() },
    { type: "scatter", label: "first choice", data: data(marked(search.first)), order: 1, ...firstLook() },
    { type: "scatter", label: "best", data: data(marked(search.best)), order: 0, ...bestLook() },
  ];
}

function drawRoofline(search) {
  document.getElementById("roofline-note").textContent = rooflineNote(search);
  const ridge = search.peak && search.bandwidth ? [search.peak / search.bandwidth] : [];
  const [left, right] = padded([...search.measured.map((one) => one.intensity), ...ridge], 6);
  const [low, high] = padded([...search.measured.map((one) => one.gflops), search.peak ?? 0].filter(Boolean), 1.6);
  draw("chart-roofline", "GFLOP/s against FLOP a byte, under the peak and the bandwidth", {
    plugins: [lineNames],
    data: { datasets: [...markedCandidates(search, search.measured, (one) => ({ x: one.intensity, y: one.gflops })),
      ...roofLines(search, left, right)] },
    options: { scales: { x: logAxis("FLOP a byte", left, right), y: logAxis("GFLOP/s", low, high) } },
  });
}
