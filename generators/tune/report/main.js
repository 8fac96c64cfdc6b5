// Reads the data, and shows the search that was chosen.

const report = JSON.parse(document.getElementById("data").textContent);
report.searches.forEach(prepare);
const byId = (id) => document.getElementById(id);
const chosenUnit = () => document.querySelector("input[name=unit]:checked").value;
let chosen = 0;

function optionText(search, index) {
  const parts = [layerText(search.layer), threadsText(search.threads)];
  if (!allEqual(report.searches, "processor")) parts.push(search.processor);
  if (!allEqual(report.searches, "target")) parts.push(search.target);
  return `${index + 1}. ${parts.join(" · ")}`;
}

function show(index) {
  chosen = index;
  const search = report.searches[index];
  byId("search").value = String(index);
  for (const line of byId("overview").tBodies[0].rows)
    line.toggleAttribute("aria-current", report.searches.length > 1 && Number(line.dataset.search) === index);
  showSummary(search);
  drawProgress(search, chosenUnit());
  drawPeers(search);
  drawRoofline(search);
  drawSize(search);
  showParameters(search);
  showCandidates(search);
}

// The address names the search, so that one can be linked to.
function choose(index) {
  history.replaceState(null, "", `#search=${index + 1}`);
  show(index);
}

function wanted() {
  const index = Number(/^#search=(\d+)$/.exec(location.hash)?.[1]) - 1;
  return index >= 0 && index < report.searches.length ? index : 0;
}

async function copySchedule() {
  const button = byId("copy"), text = byId("schedule");
  try {
    await navigator.clipboard.writeText(text.textContent);
    button.textContent = "Copied";
  } catch {
    // A browser may keep the clipboard from a local file; then the text is selected, ready for the keyboard.
    getSelection().selectAllChildren(text);
    button.textContent = "Selected";
  }
  setTimeout(() => { button.textContent = "Copy"; }, 1500);
}

function start() {
  const candidates = report.searches.reduce((sum, one) => sum + one.candidates.length, 0);
  byId("about").textContent =
    `${plural(report.searches.length, "search", "searches")}, ${plural(candidates, "candidate", "candidates")}`;
  byId("source").textContent = `From ${[...report.logs, ...report.peers].join(", ")}, by tconvc ${report.version}.`;
  byId("search").replaceChildren(...report.searches.map((search, index) =>
    element("option", { value: index }, optionText(search, index))));
  byId("choice").hidden = report.searches.length < 2;
  showOverview(report.searches, choose);
  byId("search").addEventListener("change", (event) => choose(Number(event.target.value)));
  byId("unit").addEventListener("change", () => drawProgress(report.searches[chosen], chosenUnit()));
  byId("filter").addEventListener("input", filterCandidates);
  byId("copy").addEventListener("click", copySchedule);
  window.addEventListener("hashchange", () => show(wanted()));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => show(chosen));
  show(wanted());
  document.documentElement.dataset.errors = document.documentElement.dataset.errors || "0";
  document.documentElement.dataset.done = "1";
}

start();
