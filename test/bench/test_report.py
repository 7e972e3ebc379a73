"""What becomes of results: table, summary, JSON and the comparison with an earlier run."""

import json
import sys
import tempfile
import unittest
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import numpy as np
from support import case, printed

import main
import measure
import report


class Report(unittest.TestCase):
    def test_geomean(self):
        self.assertAlmostEqual(report.geomean([0.5, 2.0, 1.0]), 1.0)
        self.assertAlmostEqual(report.geomean([4.0]), 4.0)

    def test_result(self):
        keys = ["case", "threads", "ours_ms", "peer", "peer_version", "peer_ms", "ratio", "limit_fraction"]
        self.assertEqual(list(case()), keys)
        self.assertEqual(case(ratio=1.5)["ratio"], 1.5)
        self.assertIsNone(case(peer=None)["ratio"])

    def test_relative_rms(self):
        whole = [np.array([3.0, 0.0], np.float32), np.array([[4.0]], np.float32)]
        found = [np.array([3.0, 2.0], np.float32), np.array([[2.5]], np.float32)]
        self.assertAlmostEqual(measure.relative_rms(found, whole), 0.5)
        self.assertEqual(measure.relative_rms(whole, whole), 0.0)

    def test_summary(self):
        cases = [case("a", 0.5), case("b", 2.0), case("a", 3.0, "third"), case("c", peer=None)]
        self.assertEqual(
            report.summary(cases),
            ["other: geomean 1.000, smallest 0.500, 2 cases", "third: geomean 3.000, smallest 3.000, 1 cases"],
        )
        self.assertEqual(report.summary([case(peer=None)]), ["no peer was there to compare with"])

    def test_lines(self):
        self.assertIn("ratio  1.50", report.format_case(case(ratio=1.5)))
        self.assertNotIn("ratio", report.format_case(case(peer=None)))
        self.assertIn("50% of limit", report.format_case(case() | {"limit_fraction": 0.5}))
        self.assertIn("differs by 0.250 RMS", report.format_case(case() | {"relative_rms": 0.25}))
        self.assertIn("memory 3 to 4 MB", report.format_case(case() | {"ours_peak_mb": 3.0, "peer_peak_mb": 4.0}))
        self.assertIn("memory 3 MB", report.format_case(case(peer=None) | {"ours_peak_mb": 3.0}))


class Regressions(unittest.TestCase):
    def test_within(self):
        self.assertEqual(report.regressions([case(ratio=0.96)], [case(ratio=1.0)], 0.05), [])
        self.assertEqual(report.regressions([case(ratio=7.0)], [case(ratio=1.0)], 0.05), [])

    def test_beyond(self):
        (found,) = report.regressions([case(ratio=0.94), case("b", 1.0)], [case(ratio=1.0), case("b", 1.0)], 0.05)
        self.assertEqual(found, "a, 2 threads, other: ratio 0.940, was 1.000")

    def test_disappeared(self):
        base = [case("a"), case("b"), case("c", peer=None)]
        self.assertEqual(report.regressions([case("a")], base, 0.05), ["b, 2 threads, other: not measured now"])
        self.assertEqual(report.regressions([case("a")], base, 0.05, subset=True), [])

    def test_nothing_in_common(self):
        self.assertEqual(len(report.regressions([case("a")], [case("b")], 0.05, subset=True)), 1)

    def test_other_threads_are_other_cases(self):
        self.assertEqual(len(report.regressions([case() | {"threads": 1}], [case()], 0.05)), 2)


class CommandLine(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def run_suite(self, cases: list, *options: str) -> tuple[int, str]:
        """Runs the command line on a suite that yields these cases, and raises those that are exceptions."""

        def run(_):
            for item in cases:
                if isinstance(item, Exception):
                    raise item
                yield item

        with (
            mock.patch.object(sys, "argv", ["bench/run", "linear-fp32", *options]),
            mock.patch.object(main, "import_module", lambda _: SimpleNamespace(run=run)),
        ):
            return printed(main.main)

    def test_suites(self):
        expected = {
            "attention",
            "attention-decode",
            "long-text",
            "linear-fp32",
            "encoder-fp32",
            "encoder-real-lengths",
            "vit-fp32",
            "cold-start",
            "compile",
            "conv-fp32",
        }
        self.assertEqual(set(main.suites()), expected)

    def test_percentage(self):
        self.assertAlmostEqual(main.percentage("2.5%"), 0.025)
        for wrong in ("5", "%", "many%"):
            with self.assertRaises((ValueError, main.argparse.ArgumentTypeError)):
                main.percentage(wrong)

    def test_json(self):
        path = self.folder / "new" / "cases.json"
        status, text = self.run_suite([case("a"), case("b", 4.0)], f"--json={path}")
        self.assertEqual(status, 0)
        self.assertEqual(json.loads(path.read_text()), [case("a"), case("b", 4.0)])
        self.assertEqual(text.splitlines()[-1], "other: geomean 2.000, smallest 1.000, 2 cases")

    def test_json_of_a_run_that_ended_early(self):
        path = self.folder / "cases.json"
        status, text = self.run_suite([case("a"), measure.Disagreement("b: differs")], f"--json={path}")
        self.assertEqual((status, json.loads(path.read_text())), (1, [case("a")]))
        self.assertIn("bench: b: differs", text)

    def test_compare(self):
        base = self.folder / "base.json"
        base.write_text(json.dumps([case(ratio=1.0)]))
        self.assertEqual(self.run_suite([case(ratio=0.9)], f"--compare={base}")[0], 1)
        self.assertEqual(self.run_suite([case(ratio=0.9)], f"--compare={base}", "--max-regression=20%")[0], 0)
        self.assertEqual(self.run_suite([case(ratio=0.99)], f"--compare={base}")[0], 0)

    def test_a_quick_run_measures_a_subset(self):
        base = self.folder / "base.json"
        base.write_text(json.dumps([case("a"), case("b")]))
        self.assertEqual(self.run_suite([case("a")], f"--compare={base}")[0], 1)
        self.assertEqual(self.run_suite([case("a")], f"--compare={base}", "--quick")[0], 0)
