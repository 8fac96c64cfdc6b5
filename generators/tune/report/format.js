// Numbers and layers as people read them. Units stand in headings and labels, not here, where they do not change.

// Four significant digits without an exponent.
function figure(value, digits = 4) {
  if (value === undefined || value === null || !Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const places = digits - 1 - Math.floor(Math.log10(Math.abs(value)));
  return value.toFixed(Math.min(Math.max(places, 0), 9));
}

const fourDigits = (value) => figure(value);
const times = (value) => (Number.isFinite(value) ? `${value.toFixed(2)}×` : "–");
const percent = (value) => (Number.isFinite(value) ? `${(100 * value).toFixed(1)} %` : "–");
const kibibytes = (bytes) => (Number.isFinite(bytes) ? figure(bytes / 1024, 3) : "–");
const errorFigure = (value) => (Number.isFinite(value) ? (value === 0 ? "0" : value.toExponential(1)) : "–");
const capital = (text) => text.slice(0, 1).toUpperCase() + text.slice(1);
const plural = (count, one, many) => `${count} ${count === 1 ? one : many}`;

function bytesText(bytes) {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  for (; bytes >= 1024 && unit + 1 < units.length; ++unit) bytes /= 1024;
  return `${unit === 0 ? bytes : figure(bytes, 3)} ${units[unit]}`;
}

function flopText(flop) {
  const units = ["FLOP", "kFLOP", "MFLOP", "GFLOP", "TFLOP"];
  let unit = 0;
  for (; flop >= 1000 && unit + 1 < units.length; ++unit) flop /= 1000;
  return `${unit === 0 ? flop : figure(flop, 3)} ${units[unit]}`;
}

function duration(seconds) {
  if (seconds < 60) return `${figure(seconds, 3)} s`;
  const whole = Math.round(seconds);
  const hours = Math.floor(whole / 3600), minutes = Math.floor((whole % 3600) / 60);
  const two = (number) => String(number).padStart(2, "0");
  return hours ? `${hours} h ${two(minutes)} min` : `${minutes} min ${two(whole % 60)} s`;
}

const moment = (time) => time.replace("T", " ").replace(/Z$/, " UTC");
const threadsText = (threads) => plural(threads, "thread", "threads");

// "2-D 32×32×256 → 64×64×256, kernel 4×4, strides 2×2" from a layer's key; the key itself where sizes are open.
function layerText(key) {
  const fields = {};
  for (const [, name, value] of key.matchAll(/ (crop|out|[nicogksd])(\d+(?:x\d+)*)(?= |$)/g)) fields[name] = value;
  const wanted = ["n", "i", "c", "o", "k", "s", "out"];
  const rank = /^conv(\d)d_transpose /.exec(key);
  if (!rank || wanted.some((name) => !(name in fields))) return key;
  const cross = (text) => text.replaceAll("x", "×");
  const batch = fields.n === "1" ? "" : `${fields.n} × `;
  const dilated = /[^1x]/.test(fields.d || "1") ? `, dilation ${cross(fields.d)}` : "";
  const grouped = "g" in fields ? `, ${fields.g} groups` : "";
  const first = key.startsWith(`conv${rank[1]}d_transpose channels_first`);
  const extents = (size, channels) => (first ? `${channels}×${cross(size)}` : `${cross(size)}×${channels}`);
  return `${rank[1]}-D ${batch}${extents(fields.i, fields.c)} → ${extents(fields.out, fields.o)}, ` +
    `kernel ${cross(fields.k)}, strides ${cross(fields.s)}${dilated}${grouped}`;
}

// A schedule in lines short enough for a tooltip.
function wrapped(text, width = 56) {
  const lines = [""];
  for (const word of text.split(" ")) {
    const last = lines[lines.length - 1];
    if (last && last.length + word.length + 1 > width) lines.push(word);
    else lines[lines.length - 1] = last ? `${last} ${word}` : word;
  }
  return lines;
}
