// What follows from the measurements, without a look at the page: groups, clocks, bests, ratios.

// Strategies that are no part of the search, but stand beside it for comparison.
const BASELINES = new Map([
  ["random", "random search"],
  ["adams2019", "Adams et al. 2019"],
  ["li2018", "Li et al. 2018"],
  ["mullapudi2016", "Mullapudi et al. 2016"],
  ["anderson2021", "Anderson et al. 2021"],
]);
const OURS = "tconv";
const STRATEGIES = new Map([["start", "first choice"], ["database", "database"], ["model", "model"], ...BASELINES]);
const OUTCOMES = new Map([
  ["measured", "measured"],
  ["failed", "failed"],
  ["crashed", "crashed"],
  ["timed_out", "timed out"],
  ["wrong", "wrong"],
]);

const groupOf = (strategy) => (BASELINES.has(strategy) ? strategy : OURS);
const groupName = (group) => BASELINES.get(group) || "tconvc tune";
const strategyName = (strategy) => STRATEGIES.get(strategy) || strategy.replaceAll("_", " ");

function smallest(candidates) {
  return candidates.reduce((best, one) => (best && best.minimum_ms <= one.minimum_ms ? best : one), undefined);
}

// The search says itself what it took for the best: it lets close candidates run in turns, which two separate times
// cannot replace. A log without its word is judged by the times.
function bestsOf(measured) {
  const told = measured.filter((one) => one.becomes_best);
  if (told.length) return measured[0] === told[0] ? told : [measured[0], ...told];
  const bests = [];
  for (const one of measured)
    if (!bests.length || one.minimum_ms < bests[bests.length - 1].minimum_ms) bests.push(one);
  return bests;
}

function makeGroup(name, candidates) {
  let elapsed = 0;
  for (const one of candidates) {
    elapsed += one.seconds;
    one.elapsed = elapsed;
  }
  const measured = candidates.filter((one) => one.outcome === "measured");
  const bests = bestsOf(measured);
  return { name, candidates, measured, bests, best: bests[bests.length - 1], seconds: elapsed };
}

// The machine's figures move a little; the last is as good as any.
function lastKnown(candidates, field) {
  return candidates.reduce((value, one) => one[field] ?? value, undefined);
}

// How many times as fast as the first choice, by the runs in turns: known if each new best came with its own.
function inTurns(group, first) {
  const later = group.bests.filter((one) => one !== first && one.number > first.number);
  if (!later.length || later.some((one) => !one.becomes_best || one.against_best === undefined)) return undefined;
  return later.reduce((product, one) => product * one.against_best, 1);
}

// The first choice of a random search that another log brings belongs to that search.
function startsRandom(candidates, index) {
  return candidates[index].strategy === "start" && candidates[index + 1]?.strategy === "random" &&
    candidates.slice(0, index).some((one) => one.strategy === "start");
}

function prepare(search) {
  const groups = new Map();
  search.candidates.forEach((one, index) => {
    one.number = index + 1;
    one.group = startsRandom(search.candidates, index) ? "random" : groupOf(one.strategy);
    one.intensity = one.flop / one.bytes;
    if (one.outcome === "measured") one.gflops = one.flop / one.minimum_ms * 1e-6;
    if (!groups.has(one.group)) groups.set(one.group, []);
    groups.get(one.group).push(one);
  });
  search.groups = new Map([...groups].map(([name, candidates]) => [name, makeGroup(name, candidates)]));
  search.measured = search.candidates.filter((one) => one.outcome === "measured");
  search.ours = search.groups.get(OURS);
  search.best = search.ours?.best;
  search.first = search.ours?.candidates.find((one) => one.strategy === "start");
  search.peak = lastKnown(search.candidates, "peak_gflops");
  search.bandwidth = lastKnown(search.candidates, "bandwidth_gbs");
  if (search.best && search.first?.minimum_ms) {
    search.speedup = search.first.minimum_ms / search.best.minimum_ms;
    search.inTurns = inTurns(search.ours, search.first);
  }
  search.share = search.best && search.peak ? search.best.gflops / search.peak : undefined;
  return search;
}

function countOutcomes(candidates) {
  const counts = new Map([...OUTCOMES.keys()].map((outcome) => [outcome, 0]));
  for (const one of candidates) counts.set(one.outcome, counts.get(one.outcome) + 1);
  return counts;
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b), middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// The first word of a schedule is its method, the others are name=value; a word alone counts as given.
function parametersOf(schedule) {
  const [method, ...words] = schedule.trim().split(/\s+/);
  return [["method", method], ...words.map((word) => {
    const at = word.indexOf("=");
    return at < 1 ? [word, "given"] : [word.slice(0, at), word.slice(at + 1)];
  })];
}

const compareTexts = (a, b) => a.localeCompare(b, "en", { numeric: true });

// For each parameter and value the best and median time of those that have it, to the least of all. The
// autoschedulers' texts are seeds, not schedules, and stay out.
function parameterEffects(search) {
  const counted = search.measured.filter((one) => one.group === OURS || one.group === "random");
  const least = smallest(counted)?.minimum_ms;
  const parameters = new Map();
  for (const one of counted) {
    for (const [name, value] of parametersOf(one.schedule)) {
      if (!parameters.has(name)) parameters.set(name, new Map());
      const values = parameters.get(name);
      if (!values.has(value)) values.set(value, []);
      values.get(value).push(one.minimum_ms);
    }
  }
  const effects = [...parameters].map(([name, values]) => ({
    name,
    values: [...values].map(([value, all]) => ({
      value, count: all.length, best: all.reduce((a, b) => Math.min(a, b)) / least, median: median(all) / least,
    })).sort((a, b) => compareTexts(a.value, b.value)),
  }));
  const bests = (one) => one.values.map((value) => value.best);
  const effect = (one) => bests(one).reduce((a, b) => Math.max(a, b)) / bests(one).reduce((a, b) => Math.min(a, b));
  return effects.sort((a, b) => (b.values.length > 1) - (a.values.length > 1) || effect(b) - effect(a));
}

// Candidates that no other beats in code size and time at once, by size.
function paretoFront(candidates) {
  const front = [];
  const bySize = [...candidates].sort((a, b) => a.code_bytes - b.code_bytes || a.minimum_ms - b.minimum_ms);
  for (const one of bySize)
    if (!front.length || one.minimum_ms < front[front.length - 1].minimum_ms) front.push(one);
  return front;
}
