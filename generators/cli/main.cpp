// tconvc: the command line. Says what the verbs take; verbs.h says what they do.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "cli/verbs.h"
#include "version.h"

namespace {

void add_exact(CLI::App *verb, tconv::LayerOptions &layer) {
  verb->add_flag(
      "--exact", layer.exact,
      "sum as the definition does: neither Winograd's method nor Strassen's nor bf16x3, which round otherwise");
}

void add_processor(CLI::App *verb, tconv::LayerOptions &layer) {
  verb->add_option("--processor", layer.processor,
                   "what to compile for, as vendor-family-model: its caches and its records decide between schedules; "
                   "`any`: the slowest that is known (default: this machine's)");
}

void add_layer_options(CLI::App *verb, tconv::LayerOptions &layer) {
  verb->add_option("LAYER.json", layer.layer,
                   "the layer, as keras.layers.serialize() writes it, or in the torch, onnx or tflite dialect")
      ->required();
  verb->add_option("--kernel", layer.kernel, "the kernel, a float32 .npy in the order of the layer's framework");
  verb->add_option("--bias", layer.bias, "the bias, a float32 .npy of shape (filters,)");
  verb->add_option("--batchnorm", layer.batch_norm,
                   "batch normalisation to fold in: a .npy of shape (4, filters) with gamma, beta, mean, variance");
  verb->add_option("--epsilon", layer.epsilon, "its epsilon")->capture_default_str();
  verb->add_option("--activation", layer.activation, "the activation to fuse, by Keras' name, if the layer has none");
  add_exact(verb, layer);
  add_processor(verb, layer);
}

void add_schedule_options(CLI::App *verb, tconv::ScheduleOptions &schedule) {
  CLI::Option *text = verb->add_option("--schedule", schedule.schedule,
                                       "the schedule, as `tconvc explain` prints it, in place of what is known or "
                                       "expected to be fast");
  verb->add_option("--db", schedule.database,
                   "a file of schedules that `tconvc tune` wrote, asked before what ships with tconv");
  verb->add_flag("--rules", schedule.rules, "what the rules and cost models choose, whatever was measured")
      ->excludes(text);
}

void add_compile(CLI::App &app, tconv::CompileOptions &options) {
  CLI::App *verb = app.add_subcommand("compile", "compile one layer to a static library and a C99 header");
  add_layer_options(verb, options.layer);
  add_schedule_options(verb, options.schedule);
  verb->add_option("--name", options.layer.name, "the prefix of all symbols and files (default: the layer's name)");
  verb->add_option("--target", options.targets,
                   "a Halide target; several of one family make a library that dispatches at run time")
      ->required()
      ->allow_extra_args(false);
  verb->add_option("-o,--output", options.output, "the directory for the files, made if need be")->required();
  verb->add_option("--emit", options.emit,
                   "what to make: static, shared, header, assembly, stmt, or a program that checks and times "
                   "itself")
      ->delimiter(',')
      ->check(CLI::IsMember({"static", "shared", "header", "assembly", "stmt", "program"}))
      ->capture_default_str();
  verb->add_option("--runtime-object", options.runtime_object,
                   "a file that keeps Halide's compiled runtime from one call to the next, for the same targets");
  verb->footer(
      "Without --kernel the header exports the size of the packed weights, pack and run; with it, run alone.\n\n"
      "example:\n"
      "  tconvc compile up1.json --kernel up1_kernel.npy --bias up1_bias.npy -o up1 \\\n"
      "    --target x86-64-linux-avx512_skylake --target x86-64-linux-avx2-fma-f16c --target x86-64-linux-sse41");
}

void add_general(CLI::App &app, tconv::GeneralOptions &options) {
  CLI::App *verb = app.add_subcommand("general", "compile the any-size kernels of a rank and layout");
  verb->add_option("--rank", options.rank, "spatial dimensions")->check(CLI::Range(1, 3))->capture_default_str();
  verb->add_option("--data-format", options.data_format, "channels_last or channels_first")
      ->check(CLI::IsMember({"channels_last", "channels_first"}))
      ->capture_default_str();
  verb->add_option("--target", options.targets, "as for compile")->required()->allow_extra_args(false);
  verb->add_option("-o,--output", options.output, "the directory for the files, made if need be")->required();
  verb->footer("example:\n  tconvc general --rank 2 --data-format channels_last --target arm-64-android -o general");
}

void add_run(CLI::App &app, tconv::RunOptions &options) {
  CLI::App *verb = app.add_subcommand("run", "compile a layer and run it on an array");
  add_layer_options(verb, options.layer);
  add_schedule_options(verb, options.schedule);
  verb->get_option("--kernel")->required();
  verb->add_option("--input", options.input, "the input, a float32 .npy")->required();
  verb->add_option("--output", options.output, "the output, a .npy to write")->required();
  verb->add_flag("--general", options.general,
                 "use the library's any-size kernel for the layer instead of a specialised one");
  verb->add_option("--target", options.target, "where: this machine, or an emulated one")->capture_default_str();
  verb->add_option("--threads", options.threads, "at most so many threads")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  verb->footer(
      "example:\n"
      "  tconvc run up1.json --kernel up1_kernel.npy --bias up1_bias.npy --input features.npy --output up1.npy\n"
      "  tconvc run ... --target arm-64-linux    (under qemu-aarch64)");
}

void add_bench(CLI::App &app, tconv::BenchOptions &options) {
  CLI::App *verb = app.add_subcommand("bench", "time a layer on this machine, against its multiply-add peak");
  verb->add_option("LAYER.json", options.layer.layer, "the layer; every size must be given")->required();
  verb->add_option("--threads", options.threads, "threads")->check(CLI::Range(1, 1024))->capture_default_str();
  verb->add_option("--target", options.target, "a path of this machine")->capture_default_str();
  verb->add_option("--seconds", options.seconds, "time to spend on runs")
      ->check(CLI::Range(0.001, 600.0))
      ->capture_default_str();
  verb->add_flag("--general", options.general, "time the any-size kernel");
  add_exact(verb, options.layer);
  add_processor(verb, options.layer);
  add_schedule_options(verb, options.schedule);
  verb->add_flag("--json", options.json, "print one JSON object");
  verb->footer("example:\n  tconvc bench pose.json --threads 2 --json");
}

void add_explain(CLI::App &app, tconv::ExplainOptions &options) {
  CLI::App *verb = app.add_subcommand("explain", "print geometry, phases, work and the chosen schedule of a layer");
  add_layer_options(verb, options.layer);
  add_schedule_options(verb, options.schedule);
  verb->add_option("--target", options.targets, "as for compile")->allow_extra_args(false)->capture_default_str();
  verb->footer("example:\n  tconvc explain up1.json --target x86-64-linux-avx2-fma-f16c");
}

void add_tune(CLI::App &app, tconv::TuneOptions &options) {
  CLI::App *verb = app.add_subcommand("tune", "search for faster schedules by measuring, and keep them as text");
  verb->add_option("LAYER.json", options.layers, "layers; every spatial size must be given")->required();
  verb->add_option("--target", options.target, "what to compile for")->capture_default_str();
  verb->add_option("--budget", options.budget, "time for each layer, such as 90s, 10m or 1h")
      ->transform(CLI::AsNumberWithUnit(std::map<std::string, double>{{"s", 1}, {"m", 60}, {"h", 3600}}))
      ->default_str("10m");
  verb->add_option("--threads", options.threads, "threads that a call has")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  verb->add_option("--jobs", options.jobs, "candidates compiled at a time, before they are measured one by one")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  verb->add_option("--db", options.database, "the file of schedules to write the best one into")->capture_default_str();
  verb->add_option("--log", options.log, "every measurement; a search that was ended goes on from it")
      ->capture_default_str();
  verb->add_option("--strategy", options.strategy, "how candidates are chosen")
      ->check(CLI::IsMember({"model", "random"}))
      ->capture_default_str();
  verb->add_option("--runner", options.runner,
                   "a shell command that runs the program {} elsewhere and passes on what it prints");
  verb->add_option("--cluster", options.cluster,
                   "the address of a Dask scheduler: --jobs candidates at a time run on its workers");
  verb->add_option("--limit", options.limit, "seconds that compiling or running one candidate may take")
      ->check(CLI::Range(0.1, 86400.0))
      ->capture_default_str();
  verb->add_option("--max-code-kb", options.most_code_kb, "the fastest with no more machine code than this")
      ->check(CLI::PositiveNumber);
  verb->add_flag("!--no-baselines", options.baselines, "do not measure Halide's autoschedulers beside");
  verb->add_option("--activation", options.layer.activation, "the activation to fuse, by Keras' name");
  add_exact(verb, options.layer);
  add_processor(verb, options.layer);
  verb->footer(
      "example:\n"
      "  tconvc tune up1.json up2.json --budget 5m --db schedules.txt\n"
      "  tconvc compile up1.json --db schedules.txt --target host -o up1\n"
      "  tconvc tune up1.json --target arm-64-linux --runner 'qemu-aarch64 {}'\n"
      "  tconvc tune up1.json --target arm-64-android \\\n"
      "    --runner 'adb push {} /data/local/tmp/candidate >/dev/null && adb shell /data/local/tmp/candidate'");
}

void add_report(CLI::App &app, tconv::ReportOptions &options) {
  CLI::App *verb = app.add_subcommand("report", "write logs of tuning as one HTML page");
  verb->add_option("LOG", options.logs, "what tconvc tune wrote; several are read as one")->required();
  verb->add_option("-o,--output", options.output, "the page, a file to write")->required();
  verb->add_option("--peers", options.peers,
                   "a results.json of ./bootstrap bench, with other libraries' times; may be repeated")
      ->allow_extra_args(false);
  verb->footer("example:\n  tconvc report pose.jsonl --peers results.json -o pose.html");
}

}  // namespace

int main(int argc, char **argv) {
  CLI::App app("tconvc compiles transposed convolutions ahead of time.", "tconvc");
  app.set_version_flag("--version", std::string("tconvc ") + tconv::version + ", Halide " + tconv::halide_version);
  app.require_subcommand(1);
  tconv::CompileOptions compile;
  tconv::GeneralOptions general;
  tconv::RunOptions run;
  tconv::BenchOptions bench;
  tconv::ExplainOptions explain;
  tconv::TuneOptions tune;
  tconv::ReportOptions report;
  add_compile(app, compile);
  add_run(app, run);
  add_explain(app, explain);
  add_bench(app, bench);
  add_tune(app, tune);
  app.add_subcommand("targets", "list every target family, and what this machine runs")
      ->footer("example:\n  tconvc targets");
  add_general(app, general);
  add_report(app, report);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError &error) {
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) return app.exit(error);
    std::fprintf(stderr, "tconvc: %s (see tconvc --help)\n", error.what());
    return 2;
  }
  tconv::Status status;
  const std::string verb = app.get_subcommands().front()->get_name();
  if (verb == "compile") status = tconv::compile(compile);
  if (verb == "run") status = tconv::run(run);
  if (verb == "explain") status = tconv::explain(explain);
  if (verb == "bench") status = tconv::bench(bench);
  if (verb == "tune") status = tconv::tune(tune);
  if (verb == "targets") status = tconv::list_targets();
  if (verb == "general") status = tconv::compile_general(general);
  if (verb == "report") status = tconv::report(report);
  if (status.ok()) return 0;
  std::fprintf(stderr, "tconvc: %s\n", status.message().c_str());
  return 1;
}
