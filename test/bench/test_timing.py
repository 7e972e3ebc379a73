"""How times come about, and what they are compared with; nothing here waits for real."""

import os
import sys
import tempfile
import unittest
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import numpy as np
from support import Clock, printed

import lengths
import measure
import peers
import processes
import roofline
import work
from cache import cached


class Timing(unittest.TestCase):
    def setUp(self):
        self.clock = Clock()
        self.log = []
        patch = mock.patch.object(measure, "time", self.clock)
        patch.start()
        self.addCleanup(patch.stop)

    def call(self, name: str, *seconds: float):
        """A call that takes each of these times in turn."""
        number = 0

        def run() -> None:
            nonlocal number
            self.log.append(name)
            self.clock.now += seconds[number % len(seconds)]
            number += 1

        return run

    def test_median(self):
        found = measure.alternate([self.call("a", 0.2, 0.2, 0.2, 0.2, 0.9), self.call("b", 0.3)], 10.0)
        np.testing.assert_allclose(found, [200, 300])

    def test_order_reverses(self):
        measure.alternate([self.call("a", 0.2), self.call("b", 0.2)], 0.0)
        self.assertEqual("".join(self.log), "ab" + "ab" + "ba" + "ab" + "ba" + "ab")

    def test_long_calls_are_few(self):
        measure.alternate([self.call("a", 5.0)], 1.0)
        self.assertEqual(len(self.log), 1 + 3)

    def test_short_calls_are_repeated(self):
        (found,) = measure.alternate([self.call("a", 0.001)], 0.0)
        self.assertAlmostEqual(found, 1.0)
        self.assertEqual(len(self.log), 1 + 5 * (1 + 10))

    def test_flush(self):
        measure.alternate([self.call("a", 0.001), self.call("b", 0.001)], 0.0, flush=self.call("f", 0.01))
        self.assertTrue("".join(self.log).startswith("ab" + "fafb" + "fbfa"))

    def test_turns(self):
        measure.alternate([self.call("a", 0.001)], 0.0, turns=4)
        self.assertEqual(len(self.log), 1 + 5 * (1 + 8))
        self.log.clear()
        measure.alternate([self.call("a", 0.001)], 0.0, turns=40)
        self.assertEqual(len(self.log), 1 + 5 * (1 + 40))

    def test_beside(self):
        measure.alternate([self.call("a", 0.2)], 2.0, beside=self.call("|", 0.01))
        self.assertGreater(self.log.count("|"), 3)


class Sides(unittest.TestCase):
    def run_case(self, expected: float, peers_values: list, least_ms: float | None = None) -> tuple[list, str]:
        """Times sides that give these values; an exception is a peer whose call raises it."""

        def side(name: str, value) -> measure.Side:
            def call() -> None:
                if isinstance(value, Exception):
                    raise value

            return measure.Side(name, "1", peers.Prepared(call, lambda: [np.array([value])], {}))

        limits = SimpleNamespace(least_ms=lambda *_: least_ms, sample=lambda _: None, flush=None, flush_bytes=1)
        settings = SimpleNamespace(threads=2, roofline=limits)
        others = [side(f"peer{i}", value) for i, value in enumerate(peers_values)]
        one = measure.Case("one", {}, ("y",), 1.0, 1.0)
        with mock.patch.object(measure, "alternate", lambda calls, *_, **__: [4.0, 2.0, 8.0][: len(calls)]):
            return printed(lambda: list(measure.time_sides(settings, one, side("ds", expected), others, 1.0)))

    def test_ratios(self):
        cases, _ = self.run_case(1.0, [1.0, 1.0])
        self.assertEqual([(one["peer"], one["ratio"]) for one in cases], [("peer0", 0.5), ("peer1", 2.0)])

    def test_disagreement(self):
        for theirs in (1.1, float("nan")):
            with self.assertRaises(measure.Disagreement):
                self.run_case(1.0, [theirs])

    def test_a_failing_peer_is_left_out(self):
        cases, text = self.run_case(1.0, [RuntimeError("no such thing"), 1.0])
        self.assertEqual([one["peer"] for one in cases], ["peer1"])
        self.assertIn("peer0, one is left out: no such thing", text)

    def test_rotation(self):
        log = []
        works = [peers.Prepared(lambda name=name: log.append(name), lambda name=name: [name], {}) for name in "abc"]
        rotation = measure.Rotation(works)
        for _ in range(5):
            rotation.call()
        self.assertEqual((rotation.results(), "".join(log)), (["a"], "abcab" + "a"))
        limits = SimpleNamespace(flush_bytes=100)
        for size, rotates, expected in ((30, True, 4), (1000, True, 2), (30, False, 1)):
            case = measure.Case("one", {}, ("y",), 1.0, size, rotates=rotates)
            self.assertEqual(measure.copies_of(case, limits), expected)

    def test_no_peer(self):
        cases, _ = self.run_case(1.0, [])
        self.assertEqual([(one["peer"], one["ours_ms"]) for one in cases], [(None, 4.0)])

    def test_limit(self):
        cases, text = self.run_case(1.0, [1.0], least_ms=3.0)
        self.assertEqual((cases[0]["limit_fraction"], text), (0.75, ""))
        _, text = self.run_case(1.0, [1.0], least_ms=6.0)
        self.assertIn("150% of the limit", text)


class Parts(unittest.TestCase):
    def test_rate_is_the_median_beside_the_case(self):
        # One call finds how many rounds a sample has, and each has one before it that is not timed.
        clock, speeds = Clock(), iter([1.0, 9.0, 4.0, 9.0, 2.0, 9.0, 3.0, 9.0, 8.0])

        def take(_: int, rounds: int) -> float:
            clock.now += rounds / next(speeds)
            return float(rounds)

        with mock.patch.object(roofline, "time", clock):
            rate = roofline.Rate(take, 1)
            for _ in range(3):
                rate.sample()
            self.assertAlmostEqual(rate.take(), 3.0)
            self.assertAlmostEqual(rate.take(), 3.0)
            rate.sample()
            self.assertAlmostEqual(rate.take(), 8.0)

    def test_rate_without_samples_takes_one(self):
        clock = Clock()

        def take(_: int, rounds: int) -> float:
            clock.now += rounds / 2.0
            return float(rounds)

        with mock.patch.object(roofline, "time", clock):
            self.assertAlmostEqual(roofline.Rate(take, 1).take(), 2.0)

    def test_limit_is_the_slower_of_the_two(self):
        limits = roofline.Roofline.__new__(roofline.Roofline)
        limits._peak = SimpleNamespace(take=lambda: 1e12)
        limits._bandwidth = lambda _: SimpleNamespace(take=lambda: 2e9)
        self.assertAlmostEqual(limits.least_ms(0, 2e9, 1), 1e3)
        self.assertAlmostEqual(limits.least_ms(2e12, 2e9, 1), 2e3)

    def test_missing_peer_is_reported_once(self):
        found, text = printed(lambda: [peers.open_peers(["nobody"], Path("m.onnx"), 1) for _ in range(2)])
        self.assertEqual(found, [[], []])
        self.assertEqual(text.count("nobody is left out"), 1)

    def test_cached(self):
        with tempfile.TemporaryDirectory() as folder:
            source, output, made = Path(folder, "source"), Path(folder, "new", "output"), []
            make = lambda path: made.append(path.write_text("made"))  # noqa: E731
            source.write_text("1")
            for _ in range(2):
                cached(output, [source], make)
            self.assertEqual(len(made), 1)
            os.utime(source, (1, 1))  # another file, though an older one
            cached(output, [source], make)
            self.assertEqual(len(made), 2)

    def test_lengths(self):
        self.assertEqual(lengths.group([3, 1, 2], 2), [[0, 1], [2]])
        self.assertEqual(lengths.group([3, 1, 2], 2, by_length=True), [[1, 2], [0]])
        histogram = lengths.read_histogram()
        drawn = lengths.draw_lengths(histogram, 1000, seed=1)
        self.assertEqual(drawn, lengths.draw_lengths(histogram, 1000, seed=1))
        self.assertLessEqual(set(drawn), set(histogram))
        mean = sum(length * count for length, count in histogram.items()) / sum(histogram.values())
        self.assertAlmostEqual(np.mean(drawn) / mean, 1, delta=0.1)

    def test_work(self):
        shape = work.Transformer(layers=1, hidden=2, intermediate=3)
        self.assertEqual(shape.weights, 4 * 4 + 2 * 6)
        self.assertEqual(shape.flops([5]), 2 * (5 * shape.weights + 2 * 2 * 25))
        self.assertEqual(shape.flops([5, 5]), 2 * shape.flops([5]))


class Processes(unittest.TestCase):
    def test_child(self):
        run = processes.measure("timed.py", sys.executable, "-S", "-c", "x = b'x' * 50_000_000")
        self.assertGreater(run.bytes, 50e6)
        self.assertGreater(run.seconds, 0)
        with self.assertRaises(processes.ChildFailure):
            processes.measure("timed.py", sys.executable, "-S", "-c", "raise SystemExit(3)")

    def test_in_turns(self):
        seconds = iter([9.0, 3.0, 1.0, 2.0])

        def fail():
            raise processes.ChildFailure("broken")

        sides = {"ds": lambda: processes.Run(next(seconds), 7, "1"), "peer": fail}
        found, text = printed(processes.in_turns, sides, 3, 1)
        self.assertEqual(found, {"ds": processes.Run(2.0, 7, "1")})
        self.assertIn("peer is left out: broken", text)
        with self.assertRaises(processes.ChildFailure):
            processes.in_turns({"ds": fail}, 1)

    def test_results(self):
        settings, ours = SimpleNamespace(threads=2), processes.Run(2.0, 10_000_000, "1")
        (one,) = processes.results(settings, "c", ours, {"peer": processes.Run(3.0, 20_000_000, "5")})
        self.assertEqual((one["ratio"], one["ours_peak_mb"], one["peer_peak_mb"]), (1.5, 10.0, 20.0))
        (one,) = processes.results(settings, "c", ours, {})
        self.assertEqual((one["peer"], one["ours_ms"]), (None, 2000.0))
