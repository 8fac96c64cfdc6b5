// Matrices that the C driver has transposed in strips, against the definition.
#include "tconv/transpose.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "driver_case.h"

namespace tconv::test {
namespace {

int calls = 0;

int counted_transpose(void **argv) {
  ++calls;
  return reference_transpose(argv);
}

struct Matrices {
  std::int64_t rows, columns, planes;  // of the result, planes beside one another
  std::int64_t from_stride, to_stride;
  std::int64_t low = 0, behind = 0;  // columns of zeros
};

// Transposes random numbers, and returns how many strips that took.
int strips(const Matrices &m) {
  Random random(3);
  const std::int64_t inside = m.columns - m.low - m.behind;
  const std::int64_t from_plane = inside * m.from_stride + 7, to_plane = m.rows * m.to_stride + 5;
  const std::vector<float> from = random.floats(m.planes * from_plane);
  std::vector<float> to(static_cast<std::size_t>(m.planes * to_plane), std::numeric_limits<float>::quiet_NaN());
  tconv_matrix from_dims, to_dims;
  tconv_set_dim(&from_dims.dim[2], m.planes, from_plane);
  tconv_set_dim(&to_dims.dim[2], m.planes, to_plane);
  tconv_set_dim(&from_dims.dim[3], 1, 0);
  tconv_set_dim(&to_dims.dim[3], 1, 0);
  tconv_set_rows(m.rows, inside, m.from_stride, m.to_stride, &from_dims, &to_dims);
  from_dims.dim[1].min = static_cast<std::int32_t>(m.low);
  to_dims.dim[0].extent = static_cast<std::int32_t>(m.columns);
  tconv_path path = {};
  path.transpose = counted_transpose;
  calls = 0;
  EXPECT_EQ(tconv_transpose(&path, from.data(), &from_dims, to.data(), &to_dims), TCONV_OK);
  std::int64_t wrong = 0;
  for (std::int64_t plane = 0; plane < m.planes; ++plane)
    for (std::int64_t at = 0; at < to_plane; ++at) {
      const std::int64_t row = at / m.to_stride, column = at % m.to_stride, source = column - m.low;
      const float value = to[static_cast<std::size_t>(plane * to_plane + at)];
      if (row >= m.rows || column >= m.columns)
        wrong += !std::isnan(value);
      else if (source < 0 || source >= inside)
        wrong += value != 0.0f;
      else
        wrong += value != from[static_cast<std::size_t>(plane * from_plane + source * m.from_stride + row)];
    }
  EXPECT_EQ(wrong, 0);
  return calls;
}

TEST(Transpose, RowsThatDoNotMeetAreOneStrip) {
  EXPECT_EQ(strips({21, 40, 1, 21, 41}), 1);
  EXPECT_EQ(strips({40, 64, 2, 1000, 512}), 1);
  EXPECT_EQ(strips({1, 64, 1, 1000, 1024}), 1);
}

TEST(Transpose, WrittenRowsThatMeetAreEightAtATime) {
  EXPECT_EQ(strips({16, 40, 1, 16, 1024}), 2);
  EXPECT_EQ(strips({21, 40, 3, 21, 2048}), 2);
  EXPECT_EQ(strips({24, 1, 1, 24, 1024}), 3);
  EXPECT_EQ(strips({15, 40, 1, 21, 1024}), 1);
  EXPECT_EQ(strips({24, 40, 2, 24, 1024, 3, 2}), 3);
}

TEST(Transpose, ReadRowsThatMeetAreSixteenAtATime) {
  EXPECT_EQ(strips({40, 32, 1, 1024, 32}), 2);
  EXPECT_EQ(strips({40, 47, 2, 3072, 50}), 2);
  EXPECT_EQ(strips({40, 31, 1, 1024, 31}), 1);
  EXPECT_EQ(strips({40, 35, 1, 1024, 40, 2, 1}), 1);
}

TEST(Transpose, BothMeet) { EXPECT_EQ(strips({24, 48, 1, 1024, 1024}), 9); }

TEST(Transpose, AFailureIsPassedOn) {
  tconv_matrix from_dims, to_dims;
  tconv_path path = {};
  float element = 1, copy = 0;
  path.transpose = [](void **) { return -1; };
  for (int d = 2; d < 4; ++d) {
    tconv_set_dim(&from_dims.dim[d], 1, 0);
    tconv_set_dim(&to_dims.dim[d], 1, 0);
  }
  tconv_set_rows(1, 1, 1, 1, &from_dims, &to_dims);
  EXPECT_EQ(tconv_transpose(&path, &element, &from_dims, &copy, &to_dims), TCONV_ERROR_KERNEL);
}

}  // namespace
}  // namespace tconv::test
