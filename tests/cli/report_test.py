"""tconvc report: the page as a browser shows it, its figures against those worked out here, and what is refused.

    report_test.py TCONVC
"""

import json
import pathlib
import re
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import tuning_log
from support.page import open_page
from support.tconvc import TconvcTest, keras_layer, main
from support.tuning_log import NASTY, POSE, SCANS, VOICE

BASELINES = {"random": "random search", "adams2019": "Adams et al. 2019", "li2018": "Li et al. 2018",
             "mullapudi2016": "Mullapudi et al. 2016", "anderson2021": "Anderson et al. 2021"}
NAMES = {"start": "first choice", "prior_neighbour": "prior neighbour"} | BASELINES


def group(line):
    return line["strategy"] if line["strategy"] in BASELINES else "ours"


def measured(lines):
    return [line for line in lines if line["outcome"] == "measured"]


def fastest(lines):
    return min((line["minimum_ms"] for line in measured(lines)), default=None)


def parameters(line):
    method, *words = line["schedule"].split(" ")
    return [f"method={method}", *words]


class ReportTest(TconvcTest):
    def write(self, lines, *options, end=""):
        """The page's path."""
        log = self.file("tune.jsonl", tuning_log.text(lines) + end)
        self.succeeds("report", log, "-o", "page.html", *options)
        return self.directory / "page.html"

    def open(self, path, search=1):
        page = open_page(path, f"#search={search}")
        self.assertEqual(page.html.attributes.get("data-first-error", ""), "")
        self.assertEqual((page.html["data-errors"], page.html.attributes.get("data-done")), ("0", "1"))
        return page

    def holds(self, element, value):
        """The element's exact value, and that what is shown is the same but for its rounding."""
        if value is None:
            self.assertEqual(element["data-value"], "")
            return
        self.assertAlmostEqual(float(element["data-value"]) / value, 1, places=9)
        shown = float(re.match(r"-?\d+(\.\d+)?(e[-+]\d+)?", element.text)[0])
        scale = 100 if "%" in element.text else 1
        places = len(re.match(r"\d+\.?(\d*)", element.text)[1])
        self.assertLessEqual(abs(shown - value * scale), 0.51 * 10 ** -places, element.text)


class Figures(ReportTest):
    """One log with four searches, which are woven into each other, and a last line that was cut short."""

    def setUp(self):
        super().setUp()
        self.searches = [tuning_log.search(POSE, 1, 60, seed=1), tuning_log.search(VOICE, 1, 30, seed=2),
                         tuning_log.search(POSE, 2, 20, seed=3, baselines=False),
                         tuning_log.search(SCANS, 1, 25, seed=4)]
        longest = max(map(len, self.searches))
        woven = [search[i] for i in range(longest) for search in self.searches if i < len(search)]
        self.page = self.write(woven, end='{"layer": "conv2d_transpose')

    def test_the_overview_has_each_search_and_baseline(self):
        page = self.open(self.page)
        rows = page.rows("overview")
        self.assertEqual([row["layer"]["data-value"] for row in rows], [lines[0]["layer"] for lines in self.searches])
        for row, lines in zip(rows, self.searches):
            ours = [line for line in lines if group(line) == "ours"]
            best, flop = fastest(ours), lines[0]["flop"]
            for field, value in {
                    "threads": lines[0]["threads"], "tried": len(ours), "first_ms": ours[0]["minimum_ms"],
                    "best_ms": best, "speedup": ours[0]["minimum_ms"] / best, "gflops": flop / best * 1e-6,
                    "share": flop / best * 1e-6 / lines[0]["peak_gflops"]}.items():
                self.holds(row[field], value)
            self.assertAlmostEqual(float(row["seconds"]["data-value"]), sum(line["seconds"] for line in ours))
            for name in BASELINES:
                theirs = fastest([line for line in lines if line["strategy"] == name])
                self.holds(row[f"{name}_ms"], theirs)
                if theirs:
                    self.assertIn(f"ours {theirs / best:.2f}×", row[f"{name}_ms"].text)

    def test_each_search_has_its_summary_charts_and_tables(self):
        for index, lines in enumerate(self.searches):
            with self.subTest(layer=lines[0]["layer"], threads=lines[0]["threads"]):
                page = self.open(self.page, index + 1)
                self.check_summary(page, lines)
                self.check_charts(page, lines)
                self.check_parameters(page, lines)
                self.check_candidates(page, lines)

    def check_summary(self, page, lines):
        ours = [line for line in lines if group(line) == "ours"]
        figures = {one["data-field"]: one for one in page.id("figures").all("dd")}
        self.holds(figures["best_ms"], fastest(ours))
        self.holds(figures["speedup"], ours[0]["minimum_ms"] / fastest(ours))
        self.assertIn(f"{len(measured(ours))} measured", figures["tried"].text)
        best = min(measured(ours), key=lambda line: line["minimum_ms"])
        self.assertEqual(page.id("schedule").text, best["schedule"])
        self.assertEqual(page.id("layer").text, lines[0]["layer"])
        self.assertIn(lines[0]["target"], page.id("facts").text)
        rows = {row["strategy"]["data-value"]: row for row in page.rows("strategies")}
        self.assertEqual(set(rows), {line["strategy"] for line in lines})
        for strategy, row in rows.items():
            of_it = [line for line in lines if line["strategy"] == strategy]
            for outcome in ("measured", "failed", "crashed", "timed_out", "wrong"):
                self.assertEqual(int(row[outcome]["data-value"]), sum(line["outcome"] == outcome for line in of_it))
            self.holds(row["minimum_ms"], fastest(of_it))

    def check_charts(self, page, lines):
        progress = page.points("chart-progress")
        for strategy in {line["strategy"] for line in measured(lines)}:
            count = len(measured(line for line in lines if line["strategy"] == strategy))
            self.assertEqual(progress[NAMES.get(strategy, strategy)], count)
        for name in {group(line) for line in measured(lines)}:
            # One point for each new best, and where the line ends.
            best, news = float("inf"), 0
            for line in measured(line for line in lines if group(line) == name):
                news, best = news + (line["minimum_ms"] < best), min(best, line["minimum_ms"])
            self.assertEqual(progress[f"best so far: {BASELINES.get(name, 'tconvc tune')}"], news + 1)
        count = len(measured(lines))
        roofline = page.points("chart-roofline")
        # The bandwidth's line may begin below the chart.
        self.assertGreaterEqual(roofline.pop("bandwidth"), 1)
        self.assertEqual(roofline, {"candidates": count, "first choice": 1, "best": 1, "peak": 2})
        front = [one for one in measured(lines) if not any(
            other["code_bytes"] <= one["code_bytes"] and other["minimum_ms"] < one["minimum_ms"] or
            other["code_bytes"] < one["code_bytes"] and other["minimum_ms"] <= one["minimum_ms"]
            for other in measured(lines))]
        self.assertEqual(page.points("chart-size"),
                         {"candidates": count, "first choice": 1, "best": 1, "unbeaten in both": len(front)})
        self.assertIn("hidden", page.id("peers").attributes)

    def check_parameters(self, page, lines):
        counted = [line for line in measured(lines) if group(line) in ("ours", "random")]
        rows = {f"{row['name']['data-value']}={row['value']['data-value']}": row for row in page.rows("parameters")}
        self.assertEqual(set(rows), {one for line in counted for one in parameters(line)})
        for name, row in rows.items():
            having = [line["minimum_ms"] for line in counted if name in parameters(line)]
            self.assertEqual(int(row["count"]["data-value"]), len(having))
            self.holds(row["best"], min(having) / fastest(counted))
            self.holds(row["median"], statistics.median(having) / fastest(counted))
        drawn = page.points("chart-parameters")
        varied = [name for name in rows if not name.startswith("lanes=")]
        self.assertEqual((drawn["best"], drawn["median"]), (len(varied), len(varied)))

    def check_candidates(self, page, lines):
        rows = page.rows("candidates")
        self.assertEqual(len(rows), len(lines))
        elapsed = {}
        for row, line in zip(rows, lines):
            elapsed[group(line)] = elapsed.get(group(line), 0) + line["seconds"]
            self.assertAlmostEqual(float(row["elapsed"]["data-value"]), elapsed[group(line)])
            self.assertEqual(row["schedule"].text, line["schedule"] + line.get("message", ""))
            self.assertEqual(row["outcome"]["data-value"], line["outcome"])
            for field in ("minimum_ms", "median_ms", "runs", "model_ms", "seconds"):
                self.holds(row[field], line.get(field))
            if "code_bytes" in line:
                self.assertLess(abs(float(row["code_bytes"].text) - line["code_bytes"] / 1024), 0.06)
                self.holds(row["gflops"], line["flop"] / line["minimum_ms"] * 1e-6)


class Contents(ReportTest):
    def test_texts_of_the_log_are_shown_and_never_run(self):
        lines = tuning_log.search(POSE, 1, 8, baselines=False)
        lines += [tuning_log.entry(POSE, 1, "model", f"odd {NASTY}", "failed", 9, message=NASTY),
                  tuning_log.entry(POSE, 1, "__proto__", f"odd a={NASTY}", "measured", 9, processor=NASTY,
                                   **tuning_log.times(1.0, tuning_log.random.Random(1)))]
        path = self.write(lines)
        page = self.open(path)
        self.assertEqual(page.rows("candidates")[-1]["schedule"].text, f"odd {NASTY}{NASTY}")
        page = self.open(path, 2)
        self.assertEqual(page.id("schedule").text, f"odd a={NASTY}")
        self.assertIn(NASTY, page.id("facts").text)

    def test_the_page_needs_nothing_else(self):
        text = self.write(tuning_log.search(POSE, 1, 8)).read_text()
        self.assertRegex(text, r'<html lang="en">')
        self.assertIn("<title>tconv tuning report</title>", text)
        self.assertIn("default-src 'none'", text)
        spoken = re.sub(r"<!--.*?-->|/\*.*?\*/", "", text, flags=re.S)
        self.assertNotRegex(spoken, r"https?://|\bsrc=|@import|url\(|\bimport\(")
        self.assertEqual(sorted(path.name for path in self.directory.iterdir()), ["page.html", "tune.jsonl"])

    def test_the_searchs_own_word_on_the_best_counts(self):
        lines = tuning_log.search(POSE, 1, 20, seed=5, baselines=False)
        times = measured(lines)
        times[0] |= {"becomes_best": True}
        times[4] |= {"becomes_best": True, "against_best": 1.25}
        times[7] |= {"becomes_best": True, "against_best": 1.5}
        page = self.open(self.write(lines))
        self.holds(page.rows("overview")[0]["best_ms"], times[7]["minimum_ms"])
        self.assertEqual(page.id("schedule").text, times[7]["schedule"])
        self.assertIn("1.88× in alternating runs", page.id("figures").text)
        self.assertEqual(page.points("chart-progress")["best so far: tconvc tune"], 4)

    def test_the_first_choice_of_a_random_search_beside_is_not_the_searchs(self):
        lines = tuning_log.search(POSE, 1, 9, seed=5, baselines=False)
        measured(lines)[0]["becomes_best"] = measured(lines)[3]["becomes_best"] = True
        second = [{**lines[0], "becomes_best": True}, {**lines[1], "strategy": "random"}]
        page = self.open(self.write(lines + second))
        self.assertEqual(page.id("schedule").text, measured(lines)[3]["schedule"])

    def test_searches_without_a_time_a_peak_or_a_start_have_a_page(self):
        failed = [line for line in tuning_log.search(POSE, 1, 60) if line["outcome"] != "measured"]
        baselines = [line for line in tuning_log.search(VOICE, 1, 20) if group(line) != "ours"]
        bare = [{name: value for name, value in line.items() if not name.startswith(("peak", "bandwidth", "model"))}
                for line in tuning_log.search(SCANS, 1, 20, baselines=False)[1:]]
        path = self.write(failed + baselines + bare)
        page = self.open(path, 1)
        self.assertEqual(page.rows("overview")[0]["best_ms"]["data-value"], "")
        self.assertIn("failed", page.id("candidates").text)
        page = self.open(path, 2)
        self.assertEqual(page.points("chart-roofline")["candidates"], len(measured(baselines)))
        page = self.open(path, 3)
        self.assertEqual(page.points("chart-progress")["model"],
                         len(measured(line for line in bare if line["strategy"] == "model")))
        self.assertNotIn("peak", page.points("chart-roofline"))
        self.assertIn("does not say the processor's peak", page.id("roofline-note").text)

    def test_several_logs_are_read_as_one(self):
        lines = tuning_log.search(POSE, 1, 20)
        self.file("first.jsonl", tuning_log.text(lines[:9]))
        self.file("second.jsonl", tuning_log.text(lines[9:]).rstrip("\n"))
        said = self.succeeds("report", "first.jsonl", "second.jsonl", "-o", "page.html")
        self.assertEqual(said, f"page.html: 1 search, {len(lines)} candidates\n")
        self.assertEqual(len(self.open(self.directory / "page.html").rows("candidates")), len(lines))

    def test_sorting_filtering_units_and_the_choice_work(self):
        lines = tuning_log.search(POSE, 1, 20, seed=6) + tuning_log.search(VOICE, 1, 9, seed=7)
        path = self.write(lines)
        acts = """
          const click = (n) => document.querySelectorAll("#candidates th button")[n].click();
          document.querySelector("input[value=gflops]").click();
          document.querySelector("#search").value = "1";
          document.querySelector("#search").dispatchEvent(new Event("change"));
          click(3); click(3);
          document.querySelector("#filter").value = "random measured";
          document.querySelector("#filter").dispatchEvent(new Event("input"));"""
        path.write_text(path.read_text().replace("</body>", f"<script>{acts}</script></body>"))
        page = self.open(path)
        self.assertIn(VOICE, page.id("layer").text)
        voice = [line for line in lines if line["layer"] == VOICE]
        rows = page.id("candidates").one("tbody").all("tr")
        values = [row.one(data_field="minimum_ms")["data-value"] for row in rows]
        times = [float(value) for value in values if value]
        self.assertEqual(times, sorted((line["minimum_ms"] for line in measured(voice)), reverse=True))
        self.assertEqual(values[len(times):], [""] * (len(voice) - len(times)))
        shown = [row for row in rows if "hidden" not in row.attributes]
        self.assertEqual(len(shown), len(measured(line for line in voice if line["strategy"] == "random")))
        self.assertEqual(page.points("chart-progress")["random search"], len(shown))


class Peers(ReportTest):
    def results(self, threads=1, layout="channels_last"):
        """As ./bootstrap bench writes them: SCANS, whose activation bench leaves out, and another layer."""
        shape = {"name": "scans", "batch": 2, "size": [8, 8, 8], "channels": 64, "filters": 32, "groups": 2,
                 "kernel": [4, 4, 4], "stride": [2, 2, 2], "dilation": [1, 1, 1], "crop": [1, 1, 1],
                 "out": [16, 16, 16]}
        peers = {"tconv": {"minimum_ms": 1.5, "median_ms": 1.6}, "ort": {"minimum_ms": 2.5, "median_ms": 2.75},
                 "jax": {"minimum_ms": 9.0, "median_ms": 9.5}, "mnn": {"refused": f"no groups {NASTY}\nmore"}}
        other = {"shape": shape | {"stride": [1, 1, 1]}, "peers": {"ort": {"minimum_ms": 7.0, "median_ms": 7.0}}}
        return {"threads": threads, "layout": layout, "date": "2026-11-21 11:38:52",
                "machine": {"processor": "AMD EPYC"}, "versions": {"ort": "1.31.1", "mnn": None},
                "rows": [other, {"shape": shape, "peers": peers}]}

    def test_the_layers_row_stands_beside_the_best(self):
        lines = tuning_log.search(SCANS, 1, 30, baselines=False) + tuning_log.search(POSE, 1, 9, baselines=False)
        path = self.write(lines, "--peers", self.file("results.json", self.results()))
        page = self.open(path)
        # Best, first choice, and the three that have a time.
        self.assertEqual(page.points("chart-peers"), {"libraries": 5})
        self.assertIn("AMD EPYC", page.id("peers-note").text)
        self.assertEqual(page.id("peers-refused").text, f"MNN: no groups {NASTY}")
        self.assertIn("hidden", self.open(path, 2).id("peers").attributes)

    def test_the_logs_key_is_what_tconvc_calls_the_layer(self):
        layer = keras_layer(rank=3, filters=32, groups=2, activation="relu", input_shape=[2, 8, 8, 8, 64])
        self.assertIn(f"\n{SCANS}\n", self.succeeds("explain", self.file("scans.json", layer)))

    def test_other_threads_and_layouts_are_not_compared(self):
        lines = tuning_log.search(SCANS, 1, 4, baselines=False)
        log = self.file("tune.jsonl", tuning_log.text(lines))
        for results, compared in ((self.results(), 1), (self.results(threads=2), 0),
                                  (self.results(layout="channels_first"), 0)):
            said = self.succeeds("report", log, "--peers", self.file("results.json", results), "-o", "page.html")
            self.assertIn(f"other libraries' figures for {compared} of the searches", said)

    def test_what_is_no_results_file_is_refused(self):
        log = self.file("tune.jsonl", tuning_log.text(tuning_log.search(SCANS, 1, 4)))
        wrong = {"no JSON": "{", "no JSON object": [1], "no field 'threads'": {}, "no field 'layout'": {"threads": 1},
                 "no field 'rows', a list": self.results() | {"rows": 1},
                 "row 0: no field 'shape'": self.results() | {"rows": [{}]}}
        odd = self.results()
        odd["rows"][1]["peers"]["jax"]["minimum_ms"] = 0
        wrong["row 1: 'jax' has neither 'refused' nor"] = odd
        odd = self.results()
        odd["rows"][1]["shape"]["kernel"] = "4x4x4"
        wrong["row 1: its shape has no 'kernel'"] = odd
        for message, content in wrong.items():
            peers = self.file("results.json", content)
            self.fails(f"results.json' is no results.json of ./bootstrap bench: {message}", "report", log, "--peers",
                       peers, "-o", "page.html")
        self.fails("cannot read 'none.json'", "report", log, "--peers", "none.json", "-o", "page.html")


class Refusals(ReportTest):
    def refuses(self, pattern, *lines, end=""):
        log = self.file("tune.jsonl", tuning_log.text(lines) + end)
        self.fails(pattern, "report", log, "-o", "page.html")

    def test_a_line_that_is_no_measurement_is_named(self):
        good, bad = tuning_log.search(POSE, 1, 4)[:2]
        for changes, message in (({"threads": 1.5}, "field 'threads' is 1.5, not a whole number"),
                                 ({"flop": "2\n"}, r"field 'flop' is \"2\\n\", not a number above 0"),
                                 ({"seconds": -1}, "field 'seconds' is -1, not a number of at least 0"),
                                 ({"outcome": "lost"}, "field 'outcome' is \"lost\", not one of measured, failed"),
                                 ({"becomes_best": 1}, "field 'becomes_best' is 1, not true or false"),
                                 ({"outcome": "measured", "minimum_ms": None}, "field 'minimum_ms' is null")):
            self.refuses(f"tune.jsonl' line 2: {message}", good, bad | changes)
        for name in ("layer", "target", "processor", "threads", "strategy", "schedule", "outcome", "flop", "bytes",
                     "seconds", "time", "minimum_ms", "median_ms", "runs", "largest_error", "code_bytes"):
            lacking = {key: value for key, value in good.items() if key != name}
            self.refuses(f"tune.jsonl' line 3: no field '{name}'", good, good, lacking)
        crashed = tuning_log.entry(POSE, 1, "model", "direct", "crashed", 1)
        self.refuses("tune.jsonl' line 1: no field 'message'", crashed)
        self.refuses("line 2: no JSON object", good, [1])

    def test_only_the_last_line_may_be_cut_short(self):
        good = tuning_log.search(POSE, 1, 4)[0]
        whole = tuning_log.text([good]).encode()
        self.fails("tune.jsonl' line 1: no JSON", "report", self.file("tune.jsonl", whole[:40] + b"\n" + whole), "-o",
                   "page.html")
        self.fails("tune.jsonl' line 2: no JSON", "report", self.file("tune.jsonl", whole + whole[:40] + b"\n"), "-o",
                   "page.html")
        for cut in (1, 40, len(whole) - 2):
            log = self.file("tune.jsonl", whole + whole[:cut])
            self.assertEqual(self.succeeds("report", log, "-o", "page.html"), "page.html: 1 search, 1 candidate\n")

    def test_logs_that_hold_nothing_are_named(self):
        self.fails("report: LOG is required|LOG is required", "report", "-o", "page.html")
        self.fails("cannot read 'none.jsonl': No such file", "report", "none.jsonl", "-o", "page.html")
        self.fails(r"is a directory", "report", self.directory, "-o", "page.html")
        self.fails(r"'.*empty.jsonl' holds no measurement \(0 lines\)", "report", self.file("empty.jsonl", ""), "-o",
                   "page.html")
        self.fails(r"holds no measurement \(1 lines\)", "report", self.file("cut.jsonl", '{"layer'), "-o", "page.html")

    def test_a_log_given_twice_is_refused(self):
        log = self.file("tune.jsonl", tuning_log.text(tuning_log.search(POSE, 1, 4)))
        self.fails("'tune.jsonl' and '.*/tune.jsonl' are one log", "report", "tune.jsonl", log, "-o", "page.html")

    def test_the_page_is_not_written_where_it_cannot_be(self):
        log = self.file("tune.jsonl", tuning_log.text(tuning_log.search(POSE, 1, 4)))
        self.fails("cannot write 'none/page.html': there is no directory 'none'", "report", log, "-o",
                   "none/page.html")
        (self.directory / "taken").mkdir()
        self.fails("cannot write '.*taken': it is a directory", "report", log, "-o", "taken")
        self.fails("--output is required", "report", log)


if __name__ == "__main__":
    main()
