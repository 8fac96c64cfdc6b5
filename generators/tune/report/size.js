// Machine code against time. A code size of 0 is one that was not found out.

function drawSize(search) {
  const sized = search.measured.filter((one) => one.code_bytes > 0);
  const point = (one) => ({ x: one.code_bytes / 1024, y: one.minimum_ms });
  const front = {
    type: "line", label: "unbeaten in both", data: paretoFront(sized).map((one) => ({ ...point(one), candidate: one })),
    stepped: "before", pointStyle: "circle", pointRadius: 4, pointHoverRadius: 6, backgroundColor: colour("page"),
    borderColor: colour("accent"), borderWidth: 1.5, pointBorderWidth: 1.5, order: 1,
  };
  const [left, right] = padded(sized.map((one) => point(one).x));
  const [low, high] = padded(sized.map((one) => one.minimum_ms));
  draw("chart-size", "time against code size, with the front of those unbeaten in both", {
    data: { datasets: [...markedCandidates(search, sized, point), front] },
    options: { scales: { x: logAxis("code, KiB", left, right), y: logAxis("fastest run, ms", low, high) } },
  });
}
