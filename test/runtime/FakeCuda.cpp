// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/runtime/FakeCuda.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace {

enum Result { Success = 0, InvalidValue = 1, OutOfMemory = 2, InvalidContext = 201, NotFound = 500, Capturing = 900, NotCapturing = 901 };

using Address = uint64_t;
using Work = std::vector<std::function<void()>>;

struct Stream {
  Work waiting;
  bool captures = false;
  Work captured;
};

FakeCuda state;
std::map<Address, size_t> memory; // of the device
std::map<char *, size_t> pinned;
int pushed = 0;
Stream defaultStream;

/// Counts the call; its result when it is refused.
int begin(const char *name) {
  state.calls.push_back(name);
  if (state.refusable++ != state.refuseAt) return Success;
  state.refused = name;
  return state.refuseWith;
}

/// As above, for calls that need a current context.
int beginCurrent(const char *name) {
  int result = begin(name);
  return result != Success ? result : pushed > 0 ? int(Success) : int(InvalidContext);
}

template <typename Map, typename Key>
bool holds(const Map &map, Key pointer, size_t bytes) {
  auto next = map.upper_bound(pointer);
  if (next == map.begin()) return false;
  auto [start, size] = *std::prev(next);
  return pointer + bytes <= start + size;
}

Stream &streamOf(void *handle) { return handle ? *static_cast<Stream *>(handle) : defaultStream; }

int enqueue(void *handle, std::function<void()> work) {
  Stream &stream = streamOf(handle);
  (stream.captures ? stream.captured : stream.waiting).push_back(std::move(work));
  return Success;
}

void drain(Stream &stream) {
  Work work = std::move(stream.waiting);
  stream.waiting.clear();
  for (auto &item : work)
    item();
}

template <typename T, typename Handle>
int make(Handle **handle) {
  *handle = new T();
  ++state.live;
  return Success;
}

template <typename T>
int destroy(void *handle) {
  delete static_cast<T *>(handle);
  --state.live;
  return Success;
}

} // namespace

EXPORT FakeCuda *fake_cuda() { return &state; }

#define CALL(name)                                            \
  if (int refused = begin(#name); refused != Success) return refused
#define CALL_CURRENT(name)                                    \
  if (int refused = beginCurrent(#name); refused != Success) return refused

// What gives something back is not refused: nobody could give it back then.
#define CALL_BACK(name) state.calls.push_back(#name)

// ---- driver and devices

EXPORT int cuInit(unsigned) {
  CALL(cuInit);
  return Success;
}
EXPORT int cuDriverGetVersion(int *version) {
  CALL(cuDriverGetVersion);
  *version = state.version;
  return Success;
}
EXPORT int cuGetErrorName(int result, const char **name) {
  static char text[32];
  snprintf(text, sizeof text, "FAKE_ERROR_%d", result);
  *name = result == OutOfMemory ? "FAKE_OUT_OF_MEMORY" : text;
  return Success;
}
EXPORT int cuGetErrorString(int, const char **text) {
  *text = "as the test wants it";
  return Success;
}
EXPORT int cuDeviceGetCount(int *count) {
  CALL(cuDeviceGetCount);
  *count = state.devices;
  return Success;
}
EXPORT int cuDeviceGet(int *device, int ordinal) {
  CALL(cuDeviceGet);
  *device = ordinal + 40; // a handle is no ordinal
  return Success;
}
EXPORT int cuDeviceGetName(char *name, int size, int) {
  CALL(cuDeviceGetName);
  snprintf(name, size_t(size), "Fake");
  return Success;
}
EXPORT int cuDeviceGetAttribute(int *value, int attribute, int device) {
  CALL(cuDeviceGetAttribute);
  *value = attribute == 75 ? state.major : attribute == 76 ? state.minor : attribute == 16 ? state.multiprocessors : 0;
  return device >= 40 ? Success : InvalidValue;
}
EXPORT int cuDeviceTotalMem_v2(size_t *bytes, int) {
  CALL(cuDeviceTotalMem);
  *bytes = state.memoryBytes;
  return Success;
}
EXPORT int cuDevicePrimaryCtxRetain(void **context, int) {
  CALL(cuDevicePrimaryCtxRetain);
  *context = &state;
  ++state.live;
  return Success;
}
EXPORT int cuDevicePrimaryCtxRelease_v2(int) {
  CALL_BACK(cuDevicePrimaryCtxRelease);
  --state.live;
  return Success;
}
EXPORT int cuCtxPushCurrent_v2(void *) {
  CALL(cuCtxPushCurrent);
  ++pushed, ++state.live;
  return Success;
}
EXPORT int cuCtxPopCurrent_v2(void **) {
  --pushed, --state.live;
  return Success;
}

// ---- modules

EXPORT int cuModuleLoadDataEx(void **module, const void *data, unsigned count, int *options, void **values) {
  CALL_CURRENT(cuModuleLoadDataEx);
  auto *image = static_cast<const FakeImage *>(data);
  for (unsigned i = 0; i < count; ++i)
    if (options[i] == 5) strcpy(static_cast<char *>(values[i]), image->log);
  if (image->result) return image->result;
  *module = const_cast<FakeImage *>(image);
  ++state.live;
  return Success;
}
EXPORT int cuModuleUnload(void *) {
  CALL_BACK(cuModuleUnload);
  --state.live;
  return Success;
}
EXPORT int cuModuleGetFunction(void **function, void *module, const char *name) {
  CALL_CURRENT(cuModuleGetFunction);
  for (const FakeKernel &kernel : static_cast<const FakeImage *>(module)->kernels)
    if (!strcmp(kernel.name, name)) return *function = const_cast<FakeKernel *>(&kernel), Success;
  return NotFound;
}
EXPORT int cuFuncSetAttribute(void *, int, int) {
  CALL_CURRENT(cuFuncSetAttribute);
  return Success;
}
EXPORT int cuOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, void *, int, size_t) {
  CALL_CURRENT(cuOccupancyMaxActiveBlocksPerMultiprocessor);
  *blocks = state.blocksEach;
  return Success;
}
EXPORT int cuLaunchKernel(void *function, unsigned blocks, unsigned, unsigned, unsigned threads, unsigned, unsigned, unsigned sharedBytes,
                          void *stream, void **parameters, void **) {
  CALL_CURRENT(cuLaunchKernel);
  auto *kernel = static_cast<const FakeKernel *>(function);
  auto *first = static_cast<const char *>(parameters[0]);
  std::vector<char> copy(first, first + sizeof(Launch) + kernel->slots * sizeof(int64_t));
  state.launches.push_back({kernel->name, blocks, threads, sharedBytes, streamOf(stream).captures});
  return enqueue(stream, [=] { kernel->run(reinterpret_cast<const Launch *>(copy.data()), blocks); });
}

// ---- memory

EXPORT int cuMemAlloc_v2(Address *address, size_t bytes) {
  CALL_CURRENT(cuMemAlloc);
  if (!bytes) return InvalidValue;
  if (bytes > state.memoryBytes - state.used) return OutOfMemory;
  void *data = aligned_alloc(256, (bytes + 255) / 256 * 256);
  memset(data, 0xff, bytes);
  *address = Address(reinterpret_cast<uintptr_t>(data));
  memory[*address] = bytes;
  state.used += bytes, ++state.live;
  return Success;
}
EXPORT int cuMemFree_v2(Address address) {
  CALL_BACK(cuMemFree);
  auto found = memory.find(address);
  if (found == memory.end()) return InvalidValue;
  state.used -= found->second, --state.live;
  free(reinterpret_cast<void *>(address));
  memory.erase(found);
  return Success;
}
EXPORT int cuMemAllocHost_v2(void **data, size_t bytes) {
  CALL_CURRENT(cuMemAllocHost);
  *data = malloc(bytes);
  pinned[static_cast<char *>(*data)] = bytes;
  ++state.live;
  return bytes ? Success : InvalidValue;
}
EXPORT int cuMemFreeHost(void *data) {
  CALL_BACK(cuMemFreeHost);
  --state.live;
  pinned.erase(static_cast<char *>(data));
  free(data);
  return Success;
}

static int copy(void *to, const void *from, size_t bytes, const void *device, const void *host, void *stream) {
  if (!holds(memory, Address(reinterpret_cast<uintptr_t>(device)), bytes)) return InvalidValue;
  char *hostBytes = static_cast<char *>(const_cast<void *>(host));
  if (streamOf(stream).captures && !holds(pinned, hostBytes, bytes)) return InvalidValue;
  if (holds(pinned, hostBytes, bytes)) return enqueue(stream, [=] { memmove(to, from, bytes); });
  drain(streamOf(stream)); // from and to pageable memory, a copy is made while the caller waits
  memmove(to, from, bytes);
  return Success;
}
static void *pointer(Address address) { return reinterpret_cast<void *>(address); }

EXPORT int cuMemcpyHtoD_v2(Address to, const void *from, size_t bytes) {
  CALL_CURRENT(cuMemcpyHtoD);
  return copy(pointer(to), from, bytes, pointer(to), from, nullptr);
}
EXPORT int cuMemcpyDtoH_v2(void *to, Address from, size_t bytes) {
  CALL_CURRENT(cuMemcpyDtoH);
  return copy(to, pointer(from), bytes, pointer(from), to, nullptr);
}
EXPORT int cuMemcpyHtoDAsync_v2(Address to, const void *from, size_t bytes, void *stream) {
  CALL_CURRENT(cuMemcpyHtoDAsync);
  return copy(pointer(to), from, bytes, pointer(to), from, stream);
}
EXPORT int cuMemcpyDtoHAsync_v2(void *to, Address from, size_t bytes, void *stream) {
  CALL_CURRENT(cuMemcpyDtoHAsync);
  return copy(to, pointer(from), bytes, pointer(from), to, stream);
}

// ---- streams, events, graphs

EXPORT int cuStreamCreate(void **stream, unsigned) {
  CALL_CURRENT(cuStreamCreate);
  return make<Stream>(stream);
}
EXPORT int cuStreamDestroy_v2(void *stream) {
  CALL_BACK(cuStreamDestroy);
  return destroy<Stream>(stream);
}
EXPORT int cuStreamSynchronize(void *stream) {
  int refused = beginCurrent("cuStreamSynchronize");
  if (refused != Success) return streamOf(stream).waiting.clear(), refused; // a fault: nothing behind it is done
  if (streamOf(stream).captures) return Capturing;
  drain(streamOf(stream));
  return Success;
}
EXPORT int cuEventCreate(void **event, unsigned) {
  CALL_CURRENT(cuEventCreate);
  return make<Stream *>(event); // the stream that it was recorded in
}
EXPORT int cuEventDestroy_v2(void *event) {
  CALL_BACK(cuEventDestroy);
  return destroy<Stream *>(event);
}
EXPORT int cuEventRecord(void *event, void *stream) {
  CALL_CURRENT(cuEventRecord);
  *static_cast<Stream **>(event) = &streamOf(stream);
  return streamOf(stream).captures ? Capturing : Success;
}
EXPORT int cuEventSynchronize(void *event) {
  CALL_CURRENT(cuEventSynchronize);
  if (Stream *stream = *static_cast<Stream **>(event)) drain(*stream);
  return Success;
}
EXPORT int cuStreamBeginCapture_v2(void *stream, int mode) {
  CALL_CURRENT(cuStreamBeginCapture);
  streamOf(stream).captures = true;
  return mode == 2 ? Success : InvalidValue;
}
EXPORT int cuStreamEndCapture(void *handle, void **graph) {
  int refused = beginCurrent("cuStreamEndCapture");
  Stream &stream = streamOf(handle);
  if (!stream.captures) return NotCapturing;
  stream.captures = false;
  Work work = std::move(stream.captured);
  stream.captured.clear();
  *graph = nullptr;
  if (refused != Success) return refused; // the capture is over all the same
  make<Work>(graph);
  *static_cast<Work *>(*graph) = std::move(work);
  return Success;
}
EXPORT int cuGraphInstantiateWithFlags(void **executable, void *graph, unsigned long long) {
  CALL_CURRENT(cuGraphInstantiate);
  make<Work>(executable);
  *static_cast<Work *>(*executable) = *static_cast<Work *>(graph);
  return Success;
}
EXPORT int cuGraphLaunch(void *executable, void *stream) {
  CALL_CURRENT(cuGraphLaunch);
  for (const auto &item : *static_cast<Work *>(executable))
    enqueue(stream, item);
  return Success;
}
EXPORT int cuGraphDestroy(void *graph) {
  CALL_BACK(cuGraphDestroy);
  return destroy<Work>(graph);
}
EXPORT int cuGraphExecDestroy(void *executable) {
  CALL_BACK(cuGraphExecDestroy);
  return destroy<Work>(executable);
}
