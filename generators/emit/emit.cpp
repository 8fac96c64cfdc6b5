#include "emit/emit.h"

#include <fmt/format.h>

#include "emit/c_compiler.h"
#include "emit/code_size.h"
#include "emit/header.h"
#include "emit/manifest.h"
#include "emit/process.h"
#include "emit/staging.h"
#include "emit/support_files.h"

namespace tconv {

namespace fs = std::filesystem;

namespace {

struct Objects {
  std::vector<TargetObject> targets;
  std::vector<std::string> all;  // paths, with weights and runtime
};

std::vector<float> pack_weights(const EmitRequest &request, const Schedule &schedule) {
  const tconv_layer &layer = request.plan.layer;
  const tconv_dims dims = typical_dims(request.plan);
  std::vector<float> packed(static_cast<std::size_t>(tconv_packed_floats(&schedule.tiling, &layer, &dims)));
  const Weights &weights = *request.baked;
  tconv_pack_all(&schedule.tiling, &layer, &dims, weights.kernel.data.data(), &request.weight_strides,
                 weights.bias.data.empty() ? nullptr : weights.bias.data.data(), packed.data());
  return packed;
}

// Several programs may make the kept one at once: each moves a whole file there.
Result<fs::path> make_runtime(const EmitRequest &request, const Staging &staging) {
  const fs::path &kept = request.runtime_object, made = staging.path() / (request.plan.name + "_runtime.o");
  std::error_code error;
  if (!kept.empty() && fs::copy_file(kept, made, error)) return made;
  const Status status = compile_runtime(request.targets.back(), made);
  if (!status.ok()) return status;
  if (kept.empty()) return made;
  const fs::path beside = kept.string() + staging.path().filename().string();
  fs::copy_file(made, beside, error);
  if (!error) fs::rename(beside, kept, error);
  if (error) return Status(StatusCode::io_error, fmt::format("cannot write '{}': {}", kept.string(), error.message()));
  return made;
}

Result<Objects> make_objects(const EmitRequest &request, const std::vector<LibraryKernel> &kernels,
                             const Staging &staging) {
  Objects objects;
  for (std::size_t t = 0; t < request.targets.size(); ++t) {
    Result<TargetObject> one =
        compile_target(request.plan, kernels, request.targets[t], t, request.forms, staging.path());
    if (!one.ok()) return one.status();
    one.value().code_bytes = code_bytes(one.value().object);
    objects.all.push_back(one.value().object.string());
    objects.targets.push_back(one.value());
  }
  const Halide::Target &baseline = request.targets.back();
  if (request.baked) {
    const fs::path object = staging.path() / (request.plan.name + "_weights.o");
    const Status status =
        compile_weights(request.plan.name, pack_weights(request, kernels.front().schedule), baseline, object);
    if (!status.ok()) return status;
    objects.all.push_back(object.string());
  }
  if (!request.runtime) return objects;
  const Result<fs::path> runtime = make_runtime(request, staging);
  if (!runtime.ok()) return runtime.status();
  objects.all.push_back(runtime.value().string());
  return objects;
}

Status link_shared(const EmitRequest &request, const Objects &objects, const fs::path &library) {
  const Result<std::string> compiler = c_compiler(request.targets.front());
  if (!compiler.ok()) return compiler.status();
  std::vector<std::string> command = {compiler.value(), "-shared", "-o", library.string()};
  command.insert(command.end(), objects.all.begin(), objects.all.end());
  command.insert(command.end(), {"-lpthread", "-ldl", "-lm"});
  return run_program(command).status();
}

Status make_libraries(const EmitRequest &request, const Objects &objects, const Staging &staging,
                      std::vector<fs::path> &files) {
  const Halide::Target &target = request.targets.front();
  if (request.static_library) {
    files.emplace_back(static_library_name(request.plan.name, target));
    try {
      Halide::create_static_library(objects.all, target, (staging.path() / files.back()).string());
    } catch (const Halide::Error &error) {
      return {StatusCode::internal, fmt::format("cannot make {}: {}", files.back().string(), error.what())};
    }
  }
  if (request.shared_library) {
    files.emplace_back(shared_library_name(request.plan.name, target));
    return link_shared(request, objects, staging.path() / files.back());
  }
  return {};
}

bool makes_library(const EmitRequest &request) { return request.static_library || request.shared_library; }

// A library is no use without its header; a header, the manifest aside, may come alone.
std::vector<std::pair<fs::path, std::string>> make_texts(const EmitRequest &request,
                                                         const std::vector<LibraryKernel> &kernels,
                                                         const std::string &manifest) {
  const std::string &name = request.plan.name;
  std::vector<std::pair<fs::path, std::string>> texts = {{name + ".manifest.json", manifest}};
  if (makes_library(request)) texts.emplace_back(name + "Config.cmake", cmake_text(request));
  if (!makes_library(request) && !request.header) return texts;
  texts.emplace_back(name + ".h", header_text(request, kernels));
  const bool cuda = request.targets.front().has_feature(Halide::Target::CUDA);
  for (const SupportFile &file : support_files())
    if (cuda || !file.cuda) texts.emplace_back(file.path, file.text);
  return texts;
}

Status write_texts(const std::vector<std::pair<fs::path, std::string>> &texts, const Staging &staging,
                   std::vector<fs::path> &files) {
  for (const auto &[path, text] : texts) {
    const Status status = staging.write(path, text);
    if (!status.ok()) return status;
    files.push_back(path);
  }
  return {};
}

}  // namespace

Result<Emitted> emit(const EmitRequest &request, const fs::path &destination) {
  const Result<Staging> staging = Staging::beside(destination);
  if (!staging.ok()) return staging.status();
  const std::vector<LibraryKernel> kernels = kernels_of(request.plan, request.targets, request.schedule);
  const Result<Objects> objects = make_objects(request, kernels, staging.value());
  if (!objects.ok()) return objects.status();
  Emitted emitted;
  std::vector<fs::path> files;
  Status status = make_libraries(request, objects.value(), staging.value(), files);
  if (!status.ok()) return status;
  for (const TargetObject &one : objects.value().targets)
    for (const char *extension : {".s", ".stmt"})
      if (fs::exists(fs::path(one.object).replace_extension(extension)))
        files.push_back(fs::path(one.object).filename().replace_extension(extension));
  emitted.manifest = manifest_text(request, kernels, objects.value().targets);
  status = write_texts(make_texts(request, kernels, emitted.manifest), staging.value(), files);
  if (!status.ok()) return status;
  Result<std::vector<fs::path>> moved = staging.value().move_to(destination, files);
  if (!moved.ok()) return moved.status();
  emitted.files = std::move(moved).value();
  return emitted;
}

}  // namespace tconv
