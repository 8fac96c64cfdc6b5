"""The sum in double precision that every output is compared with, and what counts as a difference.

    check_test.py TCONVC
"""

import itertools
import unittest

import numpy as np

import support
import check
import shapes


def naive(shape, input, kernel):
    """Element by element, from the definition."""
    y = np.zeros(shape.output_shape)
    per_group, outputs = shape.channels // shape.groups, shape.filters // shape.groups
    for n, position, tap in itertools.product(range(shape.batch), np.ndindex(*shape.size), np.ndindex(*shape.kernel)):
        at = tuple(p * s + t * d - c for p, s, t, d, c in
                   zip(position, shape.stride, tap, shape.dilation, shape.crop))
        if all(0 <= a < o for a, o in zip(at, shape.out)):
            for channel, out in itertools.product(range(shape.channels), range(outputs)):
                filter = channel // per_group * outputs + out
                y[(n, *at, filter)] += float(input[(n, *position, channel)]) * float(kernel[(channel, out, *tap)])
    return y


class Reference(unittest.TestCase):
    def test_it_is_the_definition(self):
        for line in ("a 1 2 5 3 4 4 3 1 2", "a 2 1 3x4 4 6 3x2 2x3 1x0 1x2 1x2 2", "a 3 1 2 2 2 3 2 1 1",
                     "a 2 1 4 4 4 1x2 3 0 2x1 1 4", "a 1 1 4 1 2 5 2 3 0"):
            shape = shapes.parse_line(line)
            input, kernel = check.draw(shape)
            with self.subTest(line):
                np.testing.assert_allclose(check.reference(shape, input, kernel), naive(shape, input, kernel),
                                           rtol=1e-12, atol=1e-12)


class Difference(unittest.TestCase):
    wanted = np.array([1.0, -4.0])

    def test_it_is_relative_to_the_largest_output(self):
        self.assertAlmostEqual(check.difference(np.array([1.0, -4.4]), self.wanted), 0.1)

    def test_other_shapes_and_no_numbers_are_infinite(self):
        for output in (np.zeros((2, 1)), np.array([1, np.nan]), np.array([np.inf, -4])):
            self.assertEqual(check.difference(output, self.wanted), float("inf"))

    def test_a_disagreement_names_layer_peer_and_difference(self):
        shape = shapes.parse_line("up 1 1 4 1 1 2 2 0 0")
        self.assertIsNone(check.disagreement(shape, "ort", 1e-6))
        self.assertRegex(check.disagreement(shape, "ort", 0.026), "up: ort's output differs by 0.026 ")
        for value in (float("inf"), float("nan")):
            self.assertIsNotNone(check.disagreement(shape, "ort", value))


if __name__ == "__main__":
    support.main()
