// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/random/Isolated.h"

#include <cerrno>
#include <cstdio>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace nacre::test;

namespace {
struct Child {
  size_t task;
  pid_t process;
  int pipe;
  std::string output;
};
} // namespace

static void writeAll(int file, const std::string &text) {
  for (size_t done = 0; done < text.size();) {
    ssize_t count = write(file, text.data() + done, text.size() - done);
    if (count <= 0)
      return;
    done += size_t(count);
  }
}

/// Null process on failure.
static Child start(size_t index, const std::function<std::string()> &task, unsigned seconds) {
  int ends[2];
  if (pipe(ends) != 0)
    return {index, 0, -1, ""};
  std::fflush(nullptr); // or the child would write it again
  pid_t process = fork();
  if (process == 0) {
    close(ends[0]);
    alarm(seconds);
    writeAll(ends[1], task());
    _exit(0);
  }
  close(ends[1]);
  return {index, process > 0 ? process : 0, ends[0], ""};
}

/// Reads what a child has to say; true once it has ended.
static bool advance(Child &child) {
  char buffer[65536];
  ssize_t count = read(child.pipe, buffer, sizeof buffer);
  if (count > 0)
    child.output.append(buffer, size_t(count));
  return count == 0 || (count < 0 && errno != EINTR);
}

std::vector<TaskResult> nacre::test::runIsolated(const std::vector<std::function<std::string()>> &tasks, int processes, unsigned seconds,
                                                 const std::function<void(size_t, const TaskResult &)> &finished) {
  std::vector<TaskResult> results(tasks.size());
  std::vector<Child> running;
  for (size_t next = 0; next < tasks.size() || !running.empty();) {
    while (next < tasks.size() && int(running.size()) < processes) {
      running.push_back(start(next, tasks[next], seconds));
      ++next;
    }
    std::vector<pollfd> polled;
    for (const Child &child : running)
      polled.push_back({child.pipe, POLLIN, 0});
    poll(polled.data(), polled.size(), -1);
    for (size_t i = running.size(); i-- > 0;) {
      if (!polled[i].revents || !advance(running[i]))
        continue;
      int status = 1;
      if (running[i].process)
        waitpid(running[i].process, &status, 0);
      close(running[i].pipe);
      if (status == 0)
        results[running[i].task] = std::move(running[i].output);
      if (finished)
        finished(running[i].task, results[running[i].task]);
      running.erase(running.begin() + ptrdiff_t(i));
    }
  }
  return results;
}
