// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Streams, events, and graphs captured from streams. What is enqueued has happened when the call returns, so waiting is nothing; a stream
// that captures keeps its operations instead, and a stream that waits for an event of a capture joins it.
#include "test/simt/driver/Driver.h"

#include <algorithm>
#include <chrono>

using namespace nacre::simt;

namespace {
struct Event {
  std::shared_ptr<Graph> capture; ///< recorded in a stream that captured
  std::chrono::steady_clock::time_point time;
};
} // namespace

static Stream defaultStream;
static std::vector<Stream *> streams; // all but the default one

static Stream &streamOf(void *handle) { return handle ? *static_cast<Stream *>(handle) : defaultStream; }

/// A kernel that fails does so behind the caller's back; later calls tell.
Result Driver::perform(const Operation &operation) {
  if (sticky) return Success;
  sticky = operation.perform();
  return Success;
}

Result Driver::enqueue(void *handle, Operation operation) {
  Stream &stream = streamOf(handle);
  if (!stream.capture) return perform(operation);
  stream.capture->operations.push_back(std::move(operation));
  return Success;
}

NACRE_DRIVER cuStreamCreate(void **handle, unsigned) {
  return enter([&](Driver &) {
    streams.push_back(new Stream);
    *handle = streams.back();
    return Success;
  });
}
NACRE_DRIVER cuStreamCreateWithPriority(void **handle, unsigned flags, int) { return cuStreamCreate(handle, flags); }

NACRE_DRIVER cuStreamDestroy_v2(void *handle) {
  return enter([&](Driver &driver) {
    auto found = std::find(streams.begin(), streams.end(), handle);
    if (found == streams.end()) return InvalidHandle;
    driver.captureCount -= (*found)->isOrigin;
    delete *found;
    streams.erase(found);
    return Success;
  });
}

NACRE_DRIVER cuStreamSynchronize(void *handle) {
  return enter([&](Driver &) { return streamOf(handle).capture ? CaptureUnsupported : Success; });
}
NACRE_DRIVER cuStreamQuery(void *handle) { return cuStreamSynchronize(handle); }

NACRE_DRIVER cuStreamBeginCapture_v2(void *handle, int) {
  return enter([&](Driver &driver) {
    Stream &stream = streamOf(handle);
    if (!handle || stream.capture) return IllegalCaptureState;
    stream.capture = std::make_shared<Graph>();
    stream.isOrigin = true;
    ++driver.captureCount;
    return Success;
  });
}

NACRE_DRIVER cuStreamEndCapture(void *handle, void **graph) {
  return enter([&](Driver &driver) {
    Stream &stream = streamOf(handle);
    if (!stream.capture || !stream.isOrigin) return stream.capture ? CaptureUnmatched : IllegalCaptureState;
    std::shared_ptr<Graph> captured = std::move(stream.capture);
    stream.isOrigin = false;
    --driver.captureCount;
    for (Stream *joined : streams)
      if (joined->capture == captured) joined->capture = nullptr;
    *graph = new Graph(*captured);
    return Success;
  });
}

NACRE_DRIVER cuStreamIsCapturing(void *handle, int *status) {
  return enter([&](Driver &) {
    *status = streamOf(handle).capture != nullptr;
    return Success;
  });
}
NACRE_DRIVER cuThreadExchangeStreamCaptureMode(int *) { return Success; }

NACRE_DRIVER cuStreamWaitEvent(void *handle, void *event, unsigned) {
  return enter([&](Driver &) {
    if (!event) return InvalidHandle;
    Stream &stream = streamOf(handle);
    if (auto &capture = static_cast<Event *>(event)->capture; capture && !stream.capture) stream.capture = capture;
    return Success;
  });
}

NACRE_DRIVER cuEventCreate(void **event, unsigned) {
  return enter([&](Driver &) { return *event = new Event, Success; });
}
NACRE_DRIVER cuEventDestroy_v2(void *event) {
  delete static_cast<Event *>(event);
  return Success;
}
NACRE_DRIVER cuEventRecord(void *event, void *handle) {
  return enter([&](Driver &) {
    if (!event) return InvalidHandle;
    *static_cast<Event *>(event) = {streamOf(handle).capture, std::chrono::steady_clock::now()};
    return Success;
  });
}
NACRE_DRIVER cuEventSynchronize(void *event) {
  return enter([&](Driver &) { return event ? Success : InvalidHandle; });
}
NACRE_DRIVER cuEventQuery(void *event) { return cuEventSynchronize(event); }
NACRE_DRIVER cuEventElapsedTime(float *milliseconds, void *begin, void *end) {
  return enter([&](Driver &) {
    if (!begin || !end) return InvalidHandle;
    std::chrono::duration<float, std::milli> time = static_cast<Event *>(end)->time - static_cast<Event *>(begin)->time;
    *milliseconds = time.count();
    return Success;
  });
}

NACRE_DRIVER cuGraphInstantiateWithFlags(void **executable, void *graph, unsigned long long) {
  return enter([&](Driver &) {
    if (!graph) return InvalidValue;
    *executable = new Graph(*static_cast<Graph *>(graph));
    return Success;
  });
}

NACRE_DRIVER cuGraphLaunch(void *executable, void *handle) {
  return enter([&](Driver &driver) {
    if (!executable) return InvalidValue;
    for (const Operation &operation : static_cast<Graph *>(executable)->operations)
      if (Result result = driver.enqueue(handle, operation)) return result;
    return Success;
  });
}

/// Addresses and parameters may change, what is done in which order may not. The third argument of cuGraphExecUpdate_v2 is a structure of
/// { result, node, node }.
NACRE_DRIVER cuGraphExecUpdate_v2(void *executable, void *graph, void *information) {
  return enter([&](Driver &) {
    if (!executable || !graph) return InvalidValue;
    auto &old = static_cast<Graph *>(executable)->operations, &given = static_cast<Graph *>(graph)->operations;
    bool isSame = std::equal(old.begin(), old.end(), given.begin(), given.end(),
                             [](const Operation &a, const Operation &b) { return a.shape == b.shape; });
    if (information) *static_cast<int *>(information) = isSame ? 0 : 1;
    if (!isSame) return GraphUpdateFailure;
    old = given;
    return Success;
  });
}

NACRE_DRIVER cuGraphDestroy(void *graph) {
  delete static_cast<Graph *>(graph);
  return Success;
}
NACRE_DRIVER cuGraphExecDestroy(void *executable) { return cuGraphDestroy(executable); }
