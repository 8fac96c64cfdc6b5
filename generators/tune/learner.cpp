#include "tune/learner.h"

#include <cmath>
#include <cstdlib>
#include <sstream>

#include <fmt/format.h>
#include <Eigen/Cholesky>

namespace tconv {

namespace {

// Deviations of the logarithm: what one parameter's value usually changes, and what is left unexplained.
constexpr double value_deviation = 0.2, noise_deviation = 0.08;

}  // namespace

std::vector<std::string> parameter_values(std::string_view schedule) {
  std::istringstream words{std::string(schedule)};
  std::string family, word;
  words >> family;
  std::vector<std::string> fields;
  double tile = 1, columns = 1, lanes = 1;
  while (words >> word) {
    const std::string name = word.substr(0, word.find('=')), value = word.substr(word.find('=') + 1);
    if (name == "transpose" || name == "read") family += ' ' + name;
    if (name == "columns") columns = std::strtod(value.c_str(), nullptr);
    if (name == "lanes") lanes = std::strtod(value.c_str(), nullptr);
    if (name != "tile") {
      fields.push_back(word);
      continue;
    }
    std::istringstream extents(value);
    int d = 0;
    for (std::string extent; std::getline(extents, extent, 'x'); ++d) {
      tile *= std::strtod(extent.c_str(), nullptr);
      fields.push_back(fmt::format("tile[{}]={}", d, extent));
    }
  }
  fields.push_back(fmt::format("sums={}", tile * columns / lanes));
  for (std::string &field : fields) field = family + ' ' + field;
  fields.push_back(family);
  return fields;
}

Learner::Learner(const std::vector<std::string> &schedules) {
  std::unordered_map<std::string, int> numbers;
  for (const std::string &schedule : schedules) {
    std::vector<int> own;
    for (const std::string &value : parameter_values(schedule))
      own.push_back(numbers.emplace(value, static_cast<int>(numbers.size())).first->second);
    values_.push_back(std::move(own));
  }
  const auto size = static_cast<Eigen::Index>(numbers.size());
  precision_ = Eigen::MatrixXd::Identity(size, size) / (value_deviation * value_deviation);
  moment_ = Eigen::VectorXd::Zero(size);
  fit();
}

void Learner::add(std::size_t index, double log_ratio) {
  constexpr double weight = 1 / (noise_deviation * noise_deviation);
  for (const int i : values_[index]) {
    moment_[i] += weight * log_ratio;
    for (const int j : values_[index]) precision_(i, j) += weight;
  }
}

void Learner::fit() {
  const Eigen::LLT<Eigen::MatrixXd> factor(precision_);
  weights_ = factor.solve(moment_);
  covariance_ = factor.solve(Eigen::MatrixXd::Identity(precision_.rows(), precision_.cols()));
}

Learner::Estimate Learner::estimate(std::size_t index) const {
  double mean = 0, variance = 0;
  for (const int i : values_[index]) {
    mean += weights_[i];
    for (const int j : values_[index]) variance += covariance_(i, j);
  }
  return {mean, std::sqrt(std::max(variance, 0.0))};
}

}  // namespace tconv
