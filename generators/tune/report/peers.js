// The best candidate beside what other libraries reach on the same layer.

const LIBRARIES = new Map([
  ["torch", "PyTorch"], ["torch_cl", "PyTorch, channels last"], ["ort", "ONNX Runtime"], ["ncnn", "ncnn"],
  ["mnn", "MNN"], ["openvino", "OpenVINO"], ["litert", "LiteRT"], ["tf", "TensorFlow"], ["tfxla", "TensorFlow, XLA"],
  ["jax", "JAX"], ["tconv", "tconv, in that run"], ["tconv_general", "tconv, any size, in that run"],
  ["tconv_avx2", "tconv, AVX2, in that run"],
]);
const libraryName = (name) => LIBRARIES.get(name) || name;

function peerBars(search) {
  const { flop } = search.best;
  const bar = (label, ms, look, lines) => ({ label, x: flop / ms * 1e-6, look, title: label, lines });
  const bars = [];
  const own = (label, one, look) => bar(label, one.minimum_ms, look, candidateTooltip(one));
  if (search.first === search.best) bars.push(own("tconv, first choice, the best", search.best, "accent"));
  else bars.push(own("tconv, best of this search", search.best, "accent"));
  if (search.first?.minimum_ms && search.first !== search.best)
    bars.push(own("tconv, first choice", search.first, "strategy-start"));
  for (const { libraries, file } of search.peers) {
    const run = search.peers.length > 1 ? `, ${file}` : "";
    for (const one of libraries.filter((library) => library.minimum_ms)) {
      const named = [one.version, one.variant].filter(Boolean).join(", ");
      bars.push(bar(libraryName(one.name) + run, one.minimum_ms, "faint",
        [`${figure(one.minimum_ms)} ms (median ${figure(one.median_ms)} ms)`, ...wrapped(named)]));
    }
  }
  return bars.sort((a, b) => b.x - a.x);
}

// At each bar's end, so that nobody has to measure with the eye.
const barValues = {
  id: "barValues",
  afterDatasetsDraw(chart) {
    const { ctx } = chart;
    ctx.save();
    ctx.fillStyle = colour("text");
    ctx.font = `12px ${Chart.defaults.font.family}`;
    ctx.textBaseline = "middle";
    chart.getDatasetMeta(0).data.forEach((bar, index) => {
      ctx.fillText(figure(chart.data.datasets[0].data[index].x, 3), bar.x + 6, bar.y);
    });
    ctx.restore();
  },
};

function peersNote(search) {
  const runs = search.peers.map(({ date, processor, file }) => `${date} on ${processor} (${file})`).join("; ");
  const fused = / linear$/.test(search.layer) ? "" : ", which here is fused into tconv's";
  return `GFLOP/s of the fastest run, ${threadsText(search.threads)}. The others were measured apart from the ` +
    `search, ${runs}, on the layer without bias or activation${fused}; with one thread, what an empty call takes is ` +
    "subtracted from other libraries' times.";
}

function drawPeers(search) {
  const section = document.getElementById("peers");
  section.hidden = !search.peers.length || !search.best;
  if (section.hidden) return;
  document.getElementById("peers-note").textContent = peersNote(search);
  const refused = search.peers.flatMap(({ libraries }) => libraries.filter((one) => one.refused !== undefined));
  document.getElementById("peers-refused").replaceChildren(...refused.map((one) =>
    element("li", {}, `${libraryName(one.name)}: ${one.refused.split("\n")[0]}`)));
  const bars = peerBars(search);
  document.getElementById("peers-plot").style.height = `${60 + 26 * bars.length}px`;
  draw("chart-peers", `GFLOP/s of tconv and ${bars.length} other figures`, {
    type: "bar",
    plugins: [barValues],
    data: {
      labels: bars.map((bar) => bar.label),
      datasets: [{
        label: "libraries", data: bars.map((bar, y) => ({ ...bar, y })), barThickness: 16,
        backgroundColor: bars.map((bar) => colour(bar.look)),
      }],
    },
    options: {
      indexAxis: "y", layout: { padding: { right: 48 } }, interaction: { mode: "nearest", axis: "y", intersect: false },
      plugins: { legend: { display: false } },
      scales: {
        x: linearAxis("GFLOP/s", { min: 0 }),
        y: { grid: { display: false, drawBorder: false },
          ticks: { autoSkip: false, color: colour("text"),
            font: (tick) => ({ weight: bars[tick.index]?.look === "faint" ? "400" : "600" }) } },
      },
    },
  });
}
