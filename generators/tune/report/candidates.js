// The table of all candidates, and its filter.

function scheduleCell(schedule, one) {
  const text = [element("code", {}, schedule)];
  if (one.message !== undefined) text.push(element("span", { class: "message" }, one.message));
  return text;
}

function markOf(search, one) {
  if (one === search.best) return "best";
  return one === search.first ? "first choice" : undefined;
}

function showCandidates(search) {
  const has = (field) => search.candidates.some((one) => one[field] !== undefined);
  const columns = [
    number("#", "number", (one) => one.number, String),
    words("Strategy", "strategy", (one) => one.strategy, strategyName),
    words("Outcome", "outcome", (one) => one.outcome, (outcome, one) => {
      const mark = markOf(search, one);
      return mark ? [OUTCOMES.get(outcome), element("span", { class: "mark" }, mark)] : OUTCOMES.get(outcome);
    }),
    number("Fastest, ms", "minimum_ms", (one) => one.minimum_ms),
    number("Median, ms", "median_ms", (one) => one.median_ms),
    number("Runs", "runs", (one) => one.runs, (value) => (value === undefined ? "–" : String(value))),
    ...(has("model_ms") ? [number("Model, ms", "model_ms", (one) => one.model_ms, fourDigits,
      "what the cost model expected")] : []),
    number("GFLOP/s", "gflops", (one) => one.gflops),
    number("Time / best", "ratio", (one) => search.best && one.minimum_ms && one.minimum_ms / search.best.minimum_ms,
      times, "its fastest time by that of the best of the search"),
    ...(has("against_best") ? [number("Alternating", "against_best", (one) => one.against_best, times,
      "how many times as fast as the best by then, from alternating runs")] : []),
    number("Error", "largest_error", (one) => one.largest_error, errorFigure, "the largest difference of an output"),
    number("Code, KiB", "code_bytes", (one) => one.code_bytes, kibibytes),
    number("Cost, s", "seconds", (one) => one.seconds, (value) => figure(value, 3), "what trying it took"),
    number("Done at, s", "elapsed", (one) => one.elapsed, (value) => figure(value, 4), "on its group's clock"),
    words("Schedule", "schedule", (one) => one.schedule, scheduleCell),
  ];
  const table = document.getElementById("candidates");
  fillTable(table, columns, search.candidates, (line, one) => {
    line.className = one.outcome === "measured" ? "" : "unmeasured";
    if (one === search.best) line.classList.add("best");
  });
  filterCandidates();
}

function filterCandidates() {
  const wanted = document.getElementById("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  const lines = [...document.getElementById("candidates").tBodies[0].rows];
  let shown = 0;
  for (const line of lines) {
    const text = line.textContent.toLowerCase();
    line.hidden = !wanted.every((word) => text.includes(word));
    shown += line.hidden ? 0 : 1;
  }
  const all = plural(lines.length, "candidate", "candidates");
  document.getElementById("candidates-note").textContent =
    `${shown === lines.length ? all : `${shown} of ${all}`}. A click on a heading sorts, a second one the other way.`;
}
