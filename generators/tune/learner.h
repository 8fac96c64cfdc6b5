// What a search learns from its measurements: a correction of the cost model for each value of each parameter.
//
// Bayesian linear regression of log(measured / expected) on the presence of parameter values, with independent normal
// priors: the posterior has a closed form. A candidate's score is a lower confidence bound, as in LinUCB (Li et al.,
// 2010): values that were not tried yet are given the benefit of the doubt.
#ifndef TCONV_GENERATORS_LEARNER_H
#define TCONV_GENERATORS_LEARNER_H

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <Eigen/Core>

namespace tconv {

// The values that a schedule's text has, such as "direct panel=32"; positions and columns of a register tile also as
// the number of sums.
std::vector<std::string> parameter_values(std::string_view schedule);

class Learner {
 public:
  // `spaces` are the schedules that will be asked for.
  explicit Learner(const std::vector<std::string> &schedules);

  // log(measured / expected) of schedule `index`.
  void add(std::size_t index, double log_ratio);

  // Fits to what was added.
  void fit();

  struct Estimate {
    double mean, deviation;  // of log(measured / expected)
  };
  Estimate estimate(std::size_t index) const;

 private:
  std::vector<std::vector<int>> values_;  // of each schedule
  Eigen::MatrixXd precision_, covariance_;
  Eigen::VectorXd moment_, weights_;
};

}  // namespace tconv

#endif
