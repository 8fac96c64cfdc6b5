#include "emit/targets.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "schedule/schedule.h"
#include "tconv/matrix_units.h"

namespace tconv {

using Halide::Target;

namespace {

// Features that a processor has or lacks; all others say how code is made, not where it runs.
constexpr Target::Feature processor_features[] = {Target::SSE41,
                                                  Target::AVX,
                                                  Target::F16C,
                                                  Target::FMA,
                                                  Target::AVX2,
                                                  Target::AVXVNNI,
                                                  Target::AVX512,
                                                  Target::AVX512_Skylake,
                                                  Target::AVX512_Cannonlake,
                                                  Target::AVX512_SapphireRapids,
                                                  Target::AVX512_Zen4,
                                                  Target::AVX512_Zen5,
                                                  Target::ARMDotProd,
                                                  Target::ARMFp16,
                                                  Target::SVE,
                                                  Target::SVE2};

const std::string x86_avx2 = "avx-avx2-f16c-fma-sse41";
const std::string x86_avx512 = "avx-avx2-avx512-avx512_skylake-f16c-fma-sse41";
const std::string x86_amx =
    "avx-avx2-avx512-avx512_cannonlake-avx512_sapphirerapids-avx512_skylake-avx512_zen4-avxvnni-f16c-fma-sse41";

TargetFamily x86_family(const std::string &system) {
  const std::string base = "x86-64-" + system;
  std::vector<std::string> paths = {base + "-" + x86_avx512, base + "-" + x86_avx2, base + "-sse41"};
  if (system == "linux") paths.insert(paths.begin(), base + "-" + x86_amx);
  return {base, paths, "one library, dispatched at run time"};
}

TargetFamily arm_family(const std::string &system) { return {"arm-64-" + system, {"arm-64-" + system}, "NEON"}; }

TargetFamily cuda_family(const std::string &base, const std::string &capability) {
  const std::string target = fmt::format("{}-cuda-cuda_capability_{}", base, capability);
  return {fmt::format("{}-cuda-{}", base, capability), {target}, "a library of its own; PTX, forward compatible"};
}

int count_features(const Target &target) {
  int count = 0;
  for (const Target::Feature feature : processor_features) count += target.has_feature(feature) ? 1 : 0;
  return count;
}

// AVX-512 for servers is no use without what every such processor has besides.
Target with_implied(Target target) {
  if (target.has_feature(Target::AVX512_SapphireRapids)) {
    target.set_feature(Target::AVX512_Skylake);
    for (const Target::Feature feature : beside_matrix_units) target.set_feature(feature);
  }
  if (target.has_feature(Target::AVX512_Skylake)) target.set_feature(Target::AVX512);
  if (target.has_feature(Target::AVX512)) target.set_features({Target::AVX2, Target::FMA, Target::F16C});
  if (target.has_feature(Target::AVX2)) target.set_feature(Target::AVX);
  if (target.has_feature(Target::AVX)) target.set_feature(Target::SSE41);
  return target;
}

Status unknown_target(const std::string &name) {
  std::vector<std::string> families;
  for (const TargetFamily &family : target_families()) families.push_back(family.paths.back());
  return invalid_argument(fmt::format("unknown target '{}': tconvc targets lists what there is ({})",
                                      name.substr(0, 80), fmt::join(families, ", ")));
}

Result<Target> parse_target(const std::string &name) {
  if (name == "host") return Target(host_paths().front());
  if (!Target::validate_target_string(name)) return unknown_target(name);
  const Target target = with_implied(Target(name));
  const std::string family = family_name(target);
  const auto known = [&](const TargetFamily &f) { return f.name == family || f.name.rfind(family + "-cuda", 0) == 0; };
  if (std::none_of(target_families().begin(), target_families().end(), known)) return unknown_target(name);
  return target;
}

}  // namespace

const std::vector<TargetFamily> &target_families() {
  static const std::vector<TargetFamily> families = {x86_family("linux"),
                                                     x86_family("windows"),
                                                     x86_family("osx"),
                                                     arm_family("linux"),
                                                     arm_family("android"),
                                                     arm_family("ios"),
                                                     arm_family("osx"),
                                                     cuda_family("x86-64-linux", "70"),
                                                     cuda_family("x86-64-linux", "80"),
                                                     cuda_family("x86-64-linux", "86")};
  return families;
}

std::string family_name(const Target &target) {
  const Target plain(target.os, target.arch, target.bits);
  return plain.to_string();
}

Result<std::vector<Target>> check_targets(const std::vector<std::string> &names) {
  std::vector<Target> targets;
  for (const std::string &name : names) {
    Result<Target> parsed = parse_target(name);
    if (!parsed.ok()) return parsed.status();
    targets.push_back(parsed.value());
  }
  if (targets.empty()) return invalid_argument("no target given: name at least one, such as --target x86-64-linux");
  std::stable_sort(targets.begin(), targets.end(),
                   [](const Target &a, const Target &b) { return count_features(a) > count_features(b); });
  targets.erase(std::unique(targets.begin(), targets.end()), targets.end());
  for (const Target &target : targets)
    if (family_name(target) != family_name(targets[0]) ||
        target.has_feature(Target::CUDA) != targets[0].has_feature(Target::CUDA))
      return invalid_argument(fmt::format("targets '{}' and '{}' do not go into one library: they are of two families",
                                          targets[0].to_string(), target.to_string()));
  return targets;
}

std::array<std::uint64_t, 2> feature_words(const Target &target) {
  static_assert(Target::FeatureEnd <= 128);
  std::array<std::uint64_t, 2> words{};
  for (const Target::Feature feature : processor_features)
    if (target.has_feature(feature)) words[feature / 64] |= std::uint64_t{1} << (feature % 64);
  return words;
}

bool runs_here(const Target &target) {
  const Target host = with_implied(Halide::get_host_target());
  if (target.os != host.os || target.arch != host.arch || target.bits != host.bits) return false;
  if (target.has_feature(Target::CUDA)) return false;
  if (target.has_feature(Target::AVX512_SapphireRapids) && !tconv_allow_matrix_units()) return false;
  return std::all_of(std::begin(processor_features), std::end(processor_features), [&](Target::Feature feature) {
    return !target.has_feature(feature) || host.has_feature(feature);
  });
}

std::vector<std::string> host_paths() {
  const std::string family = family_name(Halide::get_host_target());
  std::vector<std::string> paths;
  for (const TargetFamily &f : target_families())
    if (f.name == family)
      for (const std::string &path : f.paths)
        if (runs_here(Target(path))) paths.push_back(path);
  if (paths.empty()) paths.push_back(family);
  return paths;
}

}  // namespace tconv
