// Colours from the style sheet, a marker for each strategy, and what all charts have in common.

const MARKERS = new Map([
  ["start", { pointStyle: "rectRot", radius: 7 }],
  ["database", { pointStyle: "triangle", radius: 5 }],
  ["model", { pointStyle: "circle", radius: 3.5 }],
  ["random", { pointStyle: "crossRot", radius: 4 }],
  ["adams2019", { pointStyle: "rect", radius: 4.5 }],
  ["li2018", { pointStyle: "star", radius: 5 }],
  ["mullapudi2016", { pointStyle: "cross", radius: 5 }],
  ["anderson2021", { pointStyle: "rectRounded", radius: 5 }],
]);
const OTHER_MARKER = { pointStyle: "triangle", radius: 5, rotation: 180 };
// Lines of the best so far, told apart without colour.
const DASHES = new Map([[OURS, []], ["random", [6, 4]], ["adams2019", [2, 3]], ["li2018", [10, 4, 2, 4]],
  ["mullapudi2016", [12, 4]], ["anderson2021", [4, 2, 1, 2]]]);

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const strategyColour = (strategy) => colour(STRATEGIES.has(strategy) ? `strategy-${strategy}` : "strategy-other");
const groupColour = (group) => (group === OURS ? colour("strategy-model") : strategyColour(group));

function pointLook(strategy) {
  const { pointStyle, radius, rotation } = MARKERS.get(strategy) || OTHER_MARKER;
  const line = strategyColour(strategy);
  // A look through the fill shows where many candidates lie on each other.
  return {
    pointStyle, pointRadius: radius, pointHoverRadius: radius + 2, pointRotation: rotation || 0, borderColor: line,
    backgroundColor: `${line}99`, pointBorderWidth: ["cross", "crossRot", "star"].includes(pointStyle) ? 1.75 : 1,
  };
}

// First choice and best, as roofline and size show them.
const firstLook = () => ({ ...pointLook("start"), backgroundColor: colour("strategy-start"), pointRadius: 8 });
const bestLook = () => ({
  pointStyle: "triangle", pointRadius: 9, pointHoverRadius: 11, borderColor: colour("page"),
  backgroundColor: colour("accent"), pointBorderWidth: 1,
});
const faintLook = () => ({
  pointStyle: "circle", pointRadius: 3, pointHoverRadius: 5, borderColor: `${colour("faint")}aa`,
  backgroundColor: `${colour("faint")}55`, pointBorderWidth: 1,
});

// Round numbers between two limits of a logarithmic axis: few and even where it is short, 1, 2, 5 where it is long.
function logTicks(least, most) {
  const ticks = [];
  if (most / least < 6) {
    const raw = (most - least) / 6, power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].find((factor) => factor * power >= raw) * power;
    for (let n = Math.ceil(least / step); n * step <= most; ++n) ticks.push(Number((n * step).toPrecision(12)));
    return ticks;
  }
  const digits = most / least > 1e4 ? [1] : [1, 2, 5];
  for (let power = Math.floor(Math.log10(least)); 10 ** power <= most; ++power)
    for (const digit of digits) ticks.push(Number((digit * 10 ** power).toPrecision(12)));
  return ticks.filter((tick) => tick >= least && tick <= most);
}

function axisTitle(text) {
  return { display: true, text, color: colour("quiet"), padding: 6 };
}

function logAxis(text, least, most) {
  return {
    type: "logarithmic", min: least, max: most, title: axisTitle(text),
    grid: { color: colour("grid"), drawBorder: false },
    afterBuildTicks: (axis) => { axis.ticks = logTicks(axis.min, axis.max).map((value) => ({ value })); },
    ticks: { color: colour("quiet"), callback: (value) => String(value), maxRotation: 0 },
  };
}

function linearAxis(text, more = {}) {
  return {
    type: "linear", title: axisTitle(text), grid: { color: colour("grid"), drawBorder: false },
    ticks: { color: colour("quiet"), maxRotation: 0, includeBounds: false,
      callback: (value) => value.toLocaleString("en") },
    ...more,
  };
}

// Room around the extremes on a logarithmic axis.
function padded(values, factor = 1.12) {
  if (!values.length) return [1, 10];
  const least = values.reduce((a, b) => Math.min(a, b), Infinity);
  const most = values.reduce((a, b) => Math.max(a, b), 0);
  return [least / factor, most * factor];
}

function candidateTooltip(one) {
  const lines = [`${figure(one.minimum_ms)} ms, ${figure(one.gflops)} GFLOP/s, ${bytesText(one.code_bytes)} of code`];
  if (one.model_ms) lines.push(`the model expected ${figure(one.model_ms)} ms`);
  return [...lines, "", ...wrapped(one.schedule)];
}

function tooltips() {
  return {
    backgroundColor: colour("tip"), titleColor: colour("tip-text"), bodyColor: colour("tip-text"), displayColors: false,
    padding: 10, cornerRadius: 4,
    bodyFont: { family: "ui-monospace, SFMono-Regular, Menlo, Consolas, monospace", size: 11 },
    // One of those that lie on one spot: all would be longer than the chart.
    filter: (item, index, items) => index === items.findIndex(({ raw }) => raw.candidate || raw.lines),
    callbacks: {
      title: (items) => items.map((item) => item.raw.candidate
        ? `#${item.raw.candidate.number}, ${strategyName(item.raw.candidate.strategy)}` : item.raw.title),
      label: (item) => item.raw.lines || candidateTooltip(item.raw.candidate),
    },
  };
}

// Chart.js leaves a line's dashes out of its legend, by which lines are told apart without colour.
function legendLabels(chart) {
  const dashes = (item) => chart.data.datasets[item.datasetIndex].borderDash || [];
  return Chart.defaults.plugins.legend.labels.generateLabels(chart)
    .map((item) => ({ ...item, lineDash: dashes(item), lineWidth: dashes(item).length ? 2 : item.lineWidth }));
}

function legend() {
  return {
    position: "top", align: "start",
    labels: { usePointStyle: true, color: colour("text"), boxWidth: 24, boxHeight: 8, padding: 14,
      generateLabels: legendLabels, filter: (item, data) => !data.datasets[item.datasetIndex].silent },
  };
}

const charts = new Map();

// Draws anew, and notes on the canvas how many points of each dataset came to lie inside the axes.
function draw(id, label, config) {
  const canvas = document.getElementById(id);
  charts.get(id)?.destroy();
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  Chart.defaults.font.size = 12;
  config.options = { animation: false, responsive: true, maintainAspectRatio: false, ...config.options };
  config.options.interaction = { mode: "nearest", intersect: true, ...config.options.interaction };
  config.options.plugins = { legend: legend(), tooltip: tooltips(), ...config.options.plugins };
  const chart = new Chart(canvas, config);
  charts.set(id, chart);
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", label);
  canvas.dataset.points = JSON.stringify(pointsInside(chart));
}

function pointsInside(chart) {
  const { left, right, top, bottom } = chart.chartArea;
  const inside = ({ x, y, skip }) => !skip && x >= left - 1 && x <= right + 1 && y >= top - 1 && y <= bottom + 1;
  return Object.fromEntries(chart.data.datasets.map((dataset, index) =>
    [dataset.label, chart.getDatasetMeta(index).data.filter(inside).length]));
}
