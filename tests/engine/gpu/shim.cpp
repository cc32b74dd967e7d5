// Runs the kernels of kernels.cu on a CPU: blocks one after another, the threads of a block as
// fibers that take turns at barriers. In which order the threads go on after a barrier is given, so
// that a missing barrier shows: each thread runs alone up to the next one.
#include <ucontext.h>

#include <functional>
#include <tuple>
#include <utility>
#include <vector>

struct Dim { unsigned x, y, z; };
static Dim blockIdx, threadIdx, blockDim, gridDim;

#define __global__
#define __device__
#define __forceinline__ inline
#define __shared__
#define __launch_bounds__(...)
static void __syncthreads();
static int __popcll(unsigned long long word) { return __builtin_popcountll(word); }

#include KERNELS_FILE

alignas(16) double memory[1 << 15];  // 256 KB, more than any GPU's block has

namespace {

struct Fiber {
    ucontext_t context;
    std::vector<char> stack = std::vector<char>(1 << 16);
    bool done = false;
    int barriers = 0;
};

ucontext_t scheduler;
std::vector<Fiber> fibers;
unsigned current;
std::function<void()> body;

void enter() {
    body();
    fibers[current].done = true;
    swapcontext(&fibers[current].context, &scheduler);
}

bool run_block(unsigned threads, bool backwards) {
    for (auto& fiber : fibers) {
        getcontext(&fiber.context);
        fiber.context.uc_stack.ss_sp = fiber.stack.data();
        fiber.context.uc_stack.ss_size = fiber.stack.size();
        fiber.context.uc_link = nullptr;
        fiber.done = false;
        fiber.barriers = 0;
        makecontext(&fiber.context, enter, 0);
    }
    for (bool left = true; left;) {
        left = false;
        for (unsigned k = 0; k < threads; k++) {
            current = backwards ? threads - 1 - k : k;
            if (fibers[current].done) continue;
            threadIdx = {current, 0, 0};
            swapcontext(&scheduler, &fibers[current].context);
            left = left || !fibers[current].done;
        }
        for (auto& fiber : fibers)  // a barrier that not all threads reach hangs a GPU
            if (fiber.barriers != fibers[0].barriers || fiber.done != fibers[0].done) return false;
    }
    return true;
}

template <class... A, std::size_t... I>
void call(void (*kernel)(A...), void** arguments, std::index_sequence<I...>) {
    kernel(*(A*)arguments[I]...);
}

template <class... A>
int launch(void (*kernel)(A...), const unsigned* geometry, void** arguments) {
    gridDim = {geometry[0], geometry[1], geometry[2]};
    blockDim = {geometry[3], 1, 1};
    fibers.resize(blockDim.x);
    body = [=] { call(kernel, arguments, std::index_sequence_for<A...>{}); };
    for (unsigned z = 0; z < gridDim.z; z++)
        for (unsigned y = 0; y < gridDim.y; y++)
            for (unsigned x = 0; x < gridDim.x; x++) {
                blockIdx = {x, y, z};
                unsigned words = geometry[5] / sizeof(double);
                for (unsigned k = 0; k < words; k++) memory[k] = __builtin_nan("");  // nothing yet
                memory[words] = 12345.0;
                if (!run_block(blockDim.x, geometry[4])) return 1;
                if (memory[words] != 12345.0) return 2;
            }
    return 0;
}

}  // namespace

static void __syncthreads() {
    fibers[current].barriers++;
    unsigned here = current;
    swapcontext(&fibers[here].context, &scheduler);
}

#define LAUNCHED(NAME)                                                                          \
    extern "C" int launch_##NAME(const unsigned* geometry, void** arguments) {                   \
        return launch(NAME, geometry, arguments);                                                \
    }
#define BOTH(NAME) LAUNCHED(NAME##_double) LAUNCHED(NAME##_float)
BOTH(run_pass)
BOTH(sums_of_one)
BOTH(sums_of_four)
BOTH(images)
BOTH(rotate)
