// The page's tables and facts. Texts come from logs, so that they are set as text, never as markup; each figure's exact
// value stands beside the rounded one in data-value.

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes))
    if (value !== undefined && value !== null) made.setAttribute(name, value);
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

// A column: title, value (what to sort by, and data-value), text (what to show), and perhaps hint, kind or field.
const number = (title, field, value, text = fourDigits, hint) => ({ title, field, value, text, hint, kind: "number" });
const words = (title, field, value, text = (one) => one ?? "–") => ({ title, field, value, text, kind: "text" });

function cell(column, row) {
  const value = column.value(row);
  const shown = column.text(value, row);
  const made = element("td", { class: column.kind, "data-field": column.field, "data-value": value ?? "" });
  made.append(...[shown].flat());
  return made;
}

function fillTable(table, columns, rows, decorate = () => {}) {
  const heads = columns.map((column) => element("th", { scope: "col", class: column.kind, title: column.hint },
    element("button", { type: "button" }, column.title)));
  const body = element("tbody");
  rows.forEach((row, index) => {
    const line = element("tr", {}, ...columns.map((column) => cell(column, row)));
    decorate(line, row, index);
    body.append(line);
  });
  table.replaceChildren(element("thead", {}, element("tr", {}, ...heads)), body);
  heads.forEach((head, index) => head.firstChild.addEventListener("click", () => sortBy(table, heads, columns, index)));
}

function sortBy(table, heads, columns, index) {
  const direction = heads[index].getAttribute("aria-sort") === "ascending" ? -1 : 1;
  heads.forEach((head) => head.removeAttribute("aria-sort"));
  heads[index].setAttribute("aria-sort", direction === 1 ? "ascending" : "descending");
  const valueOf = (line) => line.cells[index].dataset.value;
  const compare = columns[index].kind === "number" ? (a, b) => Number(a) - Number(b) : compareTexts;
  const lines = [...table.tBodies[0].rows].sort((a, b) => {
    const [left, right] = [valueOf(a), valueOf(b)];
    // What is missing comes last, whichever way.
    if (left === "" || right === "") return (left === "") - (right === "");
    return direction * compare(left, right);
  });
  table.tBodies[0].append(...lines);
}

const allEqual = (searches, field) => searches.every((one) => one[field] === searches[0][field]);

// What all searches share is said once, above the table.
function overviewNote(searches) {
  const shared = [];
  if (allEqual(searches, "processor")) shared.push(`Processor ${searches[0].processor}`);
  if (allEqual(searches, "target")) shared.push(`target ${searches[0].target}`);
  if (allEqual(searches, "threads")) shared.push(threadsText(searches[0].threads));
  const text = shared.join(", ");
  return `${text}${text ? ". " : ""}Times are each candidate's fastest run; GFLOP/s count the multiply-adds of the ` +
    "layer's definition, so that Winograd's method may pass the peak.";
}

function layerCell(key) {
  const short = layerText(key);
  return short === key ? [key] : [short, element("span", { class: "key" }, key)];
}

function baselineColumn(baseline) {
  const best = (search) => search.groups.get(baseline)?.best;
  const text = (value, search) => {
    if (!search.groups.has(baseline)) return "–";
    if (!best(search)) return "none ran";
    const ratio = search.best ? best(search).minimum_ms / search.best.minimum_ms : undefined;
    return [figure(value), element("span", { class: "beside" }, ` ours ${times(ratio)}`)];
  };
  return number(`${capital(groupName(baseline))}, ms`, `${baseline}_ms`, (search) => best(search)?.minimum_ms, text,
    "the best of this baseline, and how many times as fast the best of the search is");
}

function overviewColumns(searches) {
  const varies = (field) => !allEqual(searches, field);
  return [
    words("Layer", "layer", (s) => s.layer, layerCell),
    ...(varies("target") ? [words("Target", "target", (s) => s.target)] : []),
    ...(varies("processor") ? [words("Processor", "processor", (s) => s.processor)] : []),
    ...(varies("threads") ? [number("Threads", "threads", (s) => s.threads, String)] : []),
    number("Tried", "tried", (s) => s.ours?.candidates.length, (n) => String(n ?? 0), "candidates of the search"),
    number("First choice, ms", "first_ms", (s) => s.first?.minimum_ms, fourDigits, "what the cost model chose"),
    number("Best, ms", "best_ms", (s) => s.best?.minimum_ms),
    number("Speedup", "speedup", (s) => s.speedup, times),
    number("GFLOP/s", "gflops", (s) => s.best?.gflops),
    number("Of peak", "share", (s) => s.share, percent),
    number("Spent", "seconds", (s) => s.ours?.seconds, (value) => (value === undefined ? "–" : duration(value))),
    ...[...BASELINES.keys()].filter((one) => searches.some((s) => s.groups.has(one))).map(baselineColumn),
  ];
}

function showOverview(searches, choose) {
  document.getElementById("overview-note").textContent = overviewNote(searches);
  fillTable(document.getElementById("overview"), overviewColumns(searches), searches, (line, search, index) => {
    line.dataset.search = index;
    if (searches.length > 1) {
      line.classList.add("choosable");
      line.addEventListener("click", () => choose(index));
    }
  });
}

function fact(name, field, value, text, beside) {
  const detail = element("dd", { "data-field": field, "data-value": value ?? "" }, text);
  if (beside) detail.append(element("span", { class: "beside" }, beside));
  return element("div", {}, element("dt", {}, name), detail);
}

function outcomesText(candidates) {
  const counts = [...countOutcomes(candidates)].filter(([, count]) => count);
  return counts.map(([outcome, count]) => `${count} ${OUTCOMES.get(outcome)}`).join(", ");
}

function figuresOf(search) {
  const { ours, first, best } = search;
  const firstText = first ? (first.minimum_ms ? `${figure(first.minimum_ms)} ms` : OUTCOMES.get(first.outcome)) : "–";
  const tried = ours ? ours.candidates : [];
  return [
    fact("First choice", "first_ms", first?.minimum_ms, firstText),
    fact("Best", "best_ms", best?.minimum_ms, best ? `${figure(best.minimum_ms)} ms` : "–"),
    fact("Speedup", "speedup", search.speedup, times(search.speedup),
      search.inTurns ? `${times(search.inTurns)} in alternating runs` : ""),
    fact("Throughput", "gflops", best?.gflops, best ? `${figure(best.gflops)} GFLOP/s` : "–"),
    fact("Share of the peak", "share", search.share, percent(search.share),
      search.peak ? `of ${figure(search.peak)} GFLOP/s` : "peak not known"),
    fact("Tried", "tried", tried.length, String(tried.length), outcomesText(tried)),
    fact("Time spent", "seconds", ours?.seconds, ours ? duration(ours.seconds) : "–"),
  ];
}

function factsOf(search) {
  const { flop, bytes } = search.best || search.candidates[0];
  const moments = search.candidates.map((one) => one.time).sort();
  return [
    fact("Target", "target", search.target, search.target),
    fact("Processor", "processor", search.processor, `${search.processor}, ${threadsText(search.threads)}`),
    fact("Work", "flop", flop, `${flopText(flop)}, ${bytesText(bytes)} moved at least`),
    fact("Memory", "bandwidth", search.bandwidth,
      search.bandwidth ? `${figure(search.bandwidth)} GB/s` : "bandwidth not known"),
    fact("Measured", "time", moments[0], `${moment(moments[0])} to ${moment(moments[moments.length - 1])}`),
  ];
}

function showStrategies(search) {
  const known = [...STRATEGIES.keys()];
  // Further ways of the search itself come after those that have a name here, before the baselines.
  const order = (strategy) => (known.includes(strategy) ? known.indexOf(strategy) : known.indexOf("model") + 0.5);
  const strategies = [...new Set(search.candidates.map((one) => one.strategy))].sort((a, b) => order(a) - order(b));
  const rows = strategies.map((strategy) => {
    const candidates = search.candidates.filter((one) => one.strategy === strategy);
    const best = smallest(candidates.filter((one) => one.outcome === "measured"));
    return { strategy, candidates, best, counts: countOutcomes(candidates),
      seconds: candidates.reduce((sum, one) => sum + one.seconds, 0) };
  });
  fillTable(document.getElementById("strategies"), [
    words("Strategy", "strategy", (row) => row.strategy, (one) => capital(strategyName(one))),
    number("Tried", "tried", (row) => row.candidates.length, String),
    ...[...OUTCOMES].map(([outcome, title]) =>
      number(capital(title), outcome, (row) => row.counts.get(outcome), (n) => String(n || "–"))),
    number("Fastest, ms", "minimum_ms", (row) => row.best?.minimum_ms),
    number("Time / best", "ratio", (row) => row.best && search.best && row.best.minimum_ms / search.best.minimum_ms,
      times, "its fastest time by that of the best of the search"),
    number("Spent", "seconds", (row) => row.seconds, duration),
  ], rows);
}

function showSummary(search) {
  document.getElementById("summary-title").textContent = layerText(search.layer);
  document.getElementById("layer").textContent = search.layer;
  document.getElementById("figures").replaceChildren(...figuresOf(search));
  document.getElementById("facts").replaceChildren(...factsOf(search));
  document.getElementById("best-schedule").hidden = !search.best;
  document.getElementById("schedule").textContent = search.best?.schedule ?? "";
  showStrategies(search);
}
