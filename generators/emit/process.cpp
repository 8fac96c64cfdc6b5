#include "emit/process.h"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tconv {

namespace {

using Clock = std::chrono::steady_clock;

// Milliseconds until the deadline as poll() takes them: -1 for no limit.
int remaining(double limit, Clock::time_point start) {
  if (limit <= 0) return -1;
  const double left = limit - std::chrono::duration<double>(Clock::now() - start).count();
  return left > 0 ? static_cast<int>(left * 1000) + 1 : 0;
}

// Reads both pipes until both are closed, so that neither can fill up and stop the program. False where time ran out.
bool drain(int out, int err, double limit, ProcessResult &result) {
  const Clock::time_point start = Clock::now();
  pollfd waiting[2] = {{out, POLLIN, 0}, {err, POLLIN, 0}};
  std::string *text[2] = {&result.output, &result.errors};
  int open = 2;
  bool in_time = true;
  while (open > 0 && in_time) {
    const int ready = poll(waiting, 2, remaining(limit, start));
    if (ready < 0 && errno != EINTR) break;
    in_time = ready != 0;
    for (int i = 0; i < 2 && ready > 0; ++i) {
      if (waiting[i].fd < 0 || waiting[i].revents == 0) continue;
      char buffer[4096];
      const ssize_t got = read(waiting[i].fd, buffer, sizeof buffer);
      if (got > 0) {
        text[i]->append(buffer, static_cast<std::size_t>(got));
      } else {
        waiting[i].fd = -1;
        --open;
      }
    }
  }
  close(out);
  close(err);
  return in_time;
}

[[noreturn]] void become(std::vector<char *> arguments, bool own_group, const int *out, const int *err) {
  if (own_group) setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  dup2(out[1], STDOUT_FILENO);
  dup2(err[1], STDERR_FILENO);
  execvp(arguments[0], arguments.data());
  std::fprintf(stderr, "%s: %s", arguments[0], std::strerror(errno));
  _exit(127);
}

}  // namespace

std::string ProcessResult::failure() const {
  if (timed_out) return "took too long";
  const std::string how =
      exit_code > 128 ? fmt::format("signal {}", exit_code - 128) : fmt::format("exit code {}", exit_code);
  const std::string line = errors.substr(0, errors.find('\n'));
  return line.empty() ? how : fmt::format("{}: {}", how, line);
}

Result<ProcessResult> run_process(const std::vector<std::string> &command, double limit) {
  int out[2], err[2];
  if (pipe2(out, O_CLOEXEC) != 0)
    return Status(StatusCode::io_error, fmt::format("cannot make a pipe: {}", std::strerror(errno)));
  if (pipe2(err, O_CLOEXEC) != 0) {
    const int reason = errno;
    close(out[0]);
    close(out[1]);
    return Status(StatusCode::io_error, fmt::format("cannot make a pipe: {}", std::strerror(reason)));
  }
  std::vector<char *> arguments;
  for (const std::string &argument : command) arguments.push_back(const_cast<char *>(argument.c_str()));
  arguments.push_back(nullptr);
  const pid_t child = fork();
  if (child == 0) become(arguments, limit > 0, out, err);
  close(out[1]);
  close(err[1]);
  ProcessResult result;
  result.timed_out = !drain(out[0], err[0], limit, result);
  int status = 0;
  if (child > 0 && result.timed_out && kill(-child, SIGKILL) != 0) kill(child, SIGKILL);
  if (child < 0 || waitpid(child, &status, 0) < 0)
    return Status(StatusCode::io_error, fmt::format("cannot run {}: {}", command[0], std::strerror(errno)));
  result.exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return result;
}

Result<std::string> run_program(const std::vector<std::string> &command) {
  Result<ProcessResult> ran = run_process(command);
  if (!ran.ok()) return ran.status();
  if (ran.value().ok()) return ran.value().output;
  return Status(StatusCode::internal, fmt::format("{} failed with {}", command[0], ran.value().failure()));
}

}  // namespace tconv
