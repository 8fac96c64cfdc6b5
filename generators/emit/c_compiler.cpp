#include "emit/c_compiler.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "emit/targets.h"

namespace tconv {

namespace {

// Reads both pipes until both are closed, so that neither can fill up and stop the program.
void drain(int out, int err, std::string &output, std::string &errors) {
  pollfd waiting[2] = {{out, POLLIN, 0}, {err, POLLIN, 0}};
  std::string *text[2] = {&output, &errors};
  int open = 2;
  while (open > 0 && (poll(waiting, 2, -1) >= 0 || errno == EINTR)) {
    for (int i = 0; i < 2; ++i) {
      if (waiting[i].fd < 0 || waiting[i].revents == 0) continue;
      char buffer[4096];
      const ssize_t got = read(waiting[i].fd, buffer, sizeof buffer);
      if (got > 0) {
        text[i]->append(buffer, static_cast<std::size_t>(got));
      } else {
        close(waiting[i].fd);
        waiting[i].fd = -1;
        --open;
      }
    }
  }
}

[[noreturn]] void become(std::vector<char *> arguments, const int *out, const int *err) {
  dup2(out[1], STDOUT_FILENO);
  dup2(err[1], STDERR_FILENO);
  execvp(arguments[0], arguments.data());
  std::fprintf(stderr, "%s: %s", arguments[0], std::strerror(errno));
  _exit(127);
}

std::string first_line(const std::string &text) { return text.substr(0, text.find('\n')); }

}  // namespace

Result<std::string> c_compiler(const Halide::Target &target) {
  if (const char *chosen = std::getenv("TCONV_CC")) return std::string(chosen);
  const std::string family = family_name(target);
  if (family == family_name(Halide::get_host_target())) return std::string("cc");
  if (family == "arm-64-linux") return std::string("aarch64-linux-gnu-gcc");
  return Status(StatusCode::unsupported,
                fmt::format("no C compiler is known for {}: set TCONV_CC, or ask for --emit static", family));
}

Result<std::string> run_program(const std::vector<std::string> &command) {
  int out[2], err[2];
  if (pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0)
    return Status(StatusCode::io_error, fmt::format("cannot make a pipe: {}", std::strerror(errno)));
  std::vector<char *> arguments;
  for (const std::string &argument : command) arguments.push_back(const_cast<char *>(argument.c_str()));
  arguments.push_back(nullptr);
  const pid_t child = fork();
  if (child == 0) become(arguments, out, err);
  close(out[1]);
  close(err[1]);
  std::string output, errors;
  drain(out[0], err[0], output, errors);
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) < 0)
    return Status(StatusCode::io_error, fmt::format("cannot run {}: {}", command[0], std::strerror(errno)));
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return output;
  const std::string how = WIFSIGNALED(status) ? fmt::format("signal {}", WTERMSIG(status))
                                              : fmt::format("exit code {}", WEXITSTATUS(status));
  return Status(StatusCode::internal, fmt::format("{} failed with {}: {}", command[0], how, first_line(errors)));
}

}  // namespace tconv
