// Passes over batches of state vectors, and sums over them, on a GPU.
//
// Between two barriers every kernel is a loop of the form
//     for (int i = threadIdx.x; i < n; i += blockDim.x)
// whose rounds touch different memory, so any number of threads in a block gives the same values.
// Tests compile this file with an ordinary C++ compiler on that ground, and run it without a GPU.
// Nothing but built-in functions is used: no header is needed, at run time either.

typedef long long i64;

// Kinds of operations, as in kernels/simulate/tile_pass.py.
enum { DENSE_ONE, DENSE_TWO, MULTIPLEXED, DIAGONAL, BRANCH };

// The head of a pass (see packed.py), and the fields of an operation.
enum { LOADED, RUNS, RUN_BITS, OUTER_BITS, OPERATIONS, CHOICES,
       SOURCES, TARGETS, SPREAD, OUTER, RECORDS, ROWS, JUMPS, STARTS };
enum { KIND, LOW, HIGH, FIRST, RANK, ENTRY, FIELDS };

// The fields of a string: (-1)^|x & SIGNS| where x & MASK == VALUE, else 0.
enum { FLIP, SIGNS, MASK, VALUE, STRING_FIELDS };

template <typename T> struct alignas(2 * sizeof(T)) Pair { T re, im; };

alignas(16) extern __shared__ double memory[];

// ---------------------------------------------------------------- places in shared memory

// Where amplitude i of a tile lies. Threads of a warp touch amplitudes whose numbers differ in a few
// bits, often the same bits for a whole pass. Each bit above those that count the banks is mixed
// into these, so that such amplitudes lie in different banks. (The constants were found by search:
// over all pairs of bits of a gate, 1.03 rounds per access on average instead of 1.52, and 1.2
// instead of 8.5 for tiles on their way in and out.) The map is linear: place(i ^ j) is
// place(i) ^ place(j).
template <typename T> __device__ __forceinline__ int place(int i);

template <> __device__ __forceinline__ int place<double>(int i) {
    int h = i >> 4;
    return i ^ (-(h & 1) & 15) ^ (-(h >> 1 & 1) & 14) ^ (-(h >> 2 & 1) & 12) ^ (-(h >> 3 & 1) & 4)
             ^ (-(h >> 4 & 1) & 7) ^ (-(h >> 5 & 1) & 6) ^ (-(h >> 6 & 1) & 11)
             ^ (-(h >> 7 & 1) & 5) ^ (-(h >> 8 & 1) & 9);
}

template <> __device__ __forceinline__ int place<float>(int i) {
    int h = i >> 5;
    return i ^ (-(h & 1) & 31) ^ (-(h >> 1 & 1) & 14) ^ (-(h >> 2 & 1) & 13)
             ^ (-(h >> 3 & 1) & 25) ^ (-(h >> 4 & 1) & 19) ^ (-(h >> 5 & 1) & 21)
             ^ (-(h >> 6 & 1) & 22) ^ (-(h >> 7 & 1) & 11) ^ (-(h >> 8 & 1) & 26);
}

// i with a zero put in at a bit.
__device__ __forceinline__ int parted(int i, int bit) {
    return ((i >> bit) << (bit + 1)) | (i & ((1 << bit) - 1));
}

// ---------------------------------------------------------------- operations on a tile

// (a, b) becomes m (a, b), for a 2 x 2 matrix given row by row.
template <typename T> __device__ __forceinline__ void
turn(T* re, T* im, int p, int q, const Pair<T>* m) {
    T a = re[p], b = re[q], c = im[p], d = im[q];
    Pair<T> m0 = m[0], m1 = m[1], m2 = m[2], m3 = m[3];
    re[p] = m0.re * a - m0.im * c + m1.re * b - m1.im * d;
    im[p] = m0.re * c + m0.im * a + m1.re * d + m1.im * b;
    re[q] = m2.re * a - m2.im * c + m3.re * b - m3.im * d;
    im[q] = m2.re * c + m2.im * a + m3.re * d + m3.im * b;
}

template <typename T> __device__ void
dense_one(T* re, T* im, int size, const Pair<T>* m, int bit) {
    int step = place<T>(1 << bit);
    for (int i = threadIdx.x; i < size / 2; i += blockDim.x) {
        int p = place<T>(parted(i, bit));
        turn(re, im, p, p ^ step, m);
    }
}

template <typename T> __device__ void
multiplexed(T* re, T* im, int size, const Pair<T>* m, int target, int control) {
    int step = place<T>(1 << target);
    for (int i = threadIdx.x; i < size / 2; i += blockDim.x) {
        int at = parted(i, target), p = place<T>(at);
        turn(re, im, p, p ^ step, m + (at >> control & 1) * 4);
    }
}

template <typename T> __device__ void
dense_two(T* re, T* im, int size, const Pair<T>* m, int low, int high) {
    int inner = low < high ? low : high, outer = low < high ? high : low;
    int x = place<T>(1 << low), y = place<T>(1 << high);
    for (int i = threadIdx.x; i < size / 4; i += blockDim.x) {
        int p = place<T>(parted(parted(i, inner), outer));
        int at[4] = {p, p ^ x, p ^ y, p ^ x ^ y};
        T a[4], b[4];
#pragma unroll
        for (int k = 0; k < 4; k++) {
            a[k] = re[at[k]];
            b[k] = im[at[k]];
        }
#pragma unroll
        for (int j = 0; j < 4; j++) {
            T u = 0, v = 0;
#pragma unroll
            for (int k = 0; k < 4; k++) {
                Pair<T> c = m[4 * j + k];
                u += c.re * a[k] - c.im * b[k];
                v += c.re * b[k] + c.im * a[k];
            }
            re[at[j]] = u;
            im[at[j]] = v;
        }
    }
}

// Amplitudes in a run of 2^bits have neighbouring entries in the table.
template <typename T> __device__ void
phases(T* re, T* im, int size, const Pair<T>* table, const i64* starts, int bits) {
    for (int i = threadIdx.x; i < size; i += blockDim.x) {
        Pair<T> c = table[starts[i >> bits] + (i & ((1 << bits) - 1))];
        int p = place<T>(i);
        T a = re[p], b = im[p];
        re[p] = c.re * a - c.im * b;
        im[p] = c.re * b + c.im * a;
    }
}

// ---------------------------------------------------------------- a pass

// One block does one tile of one row for one combination of choices; blockIdx.y counts programs of
// the same plan. Row r becomes row r + jumps[choice]. The row itself is overwritten by choice 0,
// which comes in a launch of its own after all others.
template <typename T> __device__ void
one_tile(Pair<T>* states, const i64* plan, const Pair<T>* coefficients, i64 program_rows,
         i64 program_coefficients, int width, int first_choice, int choices) {
    int loaded = (int)plan[LOADED], run_bits = (int)plan[RUN_BITS];
    int outer_bits = (int)plan[OUTER_BITS], operations = (int)plan[OPERATIONS];
    int size = (int)plan[RUNS] << run_bits, run = (1 << run_bits) - 1;
    i64 item = blockIdx.x;
    i64 choice = first_choice + item % choices;
    item /= choices;
    i64 row = (plan + plan[ROWS])[item >> outer_bits] + blockIdx.y * program_rows;
    i64 base = 0;
    for (int k = 0; k < outer_bits; k++)
        if (item >> k & 1) base += (plan + plan[OUTER])[k];
    const i64 *sources = plan + plan[SOURCES], *targets = plan + plan[TARGETS];
    const i64 *spread = plan + plan[SPREAD], *records = plan + plan[RECORDS];
    coefficients += blockIdx.y * program_coefficients;
    T *re = (T*)memory, *im = re + size;

    if (loaded << run_bits < size) {  // what is not read is zero
        for (int i = threadIdx.x; i < size; i += blockDim.x) {
            re[i] = loaded == 0 && i == 0;  // |0...0>, whose place is 0
            im[i] = 0;
        }
        __syncthreads();
    }
    const Pair<T>* old = states + (row << width) + base;
    for (int i = threadIdx.x; i < loaded << run_bits; i += blockDim.x) {
        Pair<T> amplitude = old[sources[i >> run_bits] + (i & run)];
        int p = place<T>((int)(targets[i >> run_bits] | spread[i & run]));
        re[p] = amplitude.re;
        im[p] = amplitude.im;
    }
    __syncthreads();

    for (int k = 0; k < operations; k++) {
        const i64* record = records + k * FIELDS;
        const Pair<T>* m = coefficients + record[FIRST];
        int low = (int)record[LOW], high = (int)record[HIGH];
        switch ((int)record[KIND]) {
            case DENSE_TWO: dense_two(re, im, size, m, low, high); break;
            case MULTIPLEXED: multiplexed(re, im, size, m, low, high); break;
            case DENSE_ONE: dense_one(re, im, size, m, low); break;
            case BRANCH:  // of its choices, one is as many combinations wide as HIGH says
                dense_one(re, im, size, m + 4 * (choice / high % record[RANK]), low);
                break;
            default: phases(re, im, size, m, plan + plan[STARTS] + record[ENTRY], low);
        }
        __syncthreads();
    }

    Pair<T>* fresh = states + ((row + (plan + plan[JUMPS])[choice]) << width) + base;
    for (int i = threadIdx.x; i < size; i += blockDim.x) {
        int p = place<T>((int)(targets[i >> run_bits] | spread[i & run]));
        Pair<T> amplitude = {re[p], im[p]};
        fresh[sources[i >> run_bits] + (i & run)] = amplitude;
    }
}

// ---------------------------------------------------------------- sums over states

__device__ __forceinline__ double factor_at(const i64* string, i64 x) {
    if ((x & string[MASK]) != string[VALUE]) return 0.0;
    return __popcll((unsigned long long)(x & string[SIGNS])) & 1 ? -1.0 : 1.0;
}

// Sum of conj(bra_i[x ^ flip]) factor(x) ket_j[x] over this block's share of all x, for R rows i,
// R rows j, and up to S strings of the same flip. Products are taken and added in double precision.
// blockIdx.y counts squares of rows, blockIdx.z groups of strings; out is (strings, a, b, shares).
template <typename T, int R, int S> __device__ void
sums(const Pair<T>* bra, const Pair<T>* ket, i64 size, int a, int b, const i64* strings,
     const i64* groups, Pair<double>* out) {
    int across = (b + R - 1) / R;
    int i0 = (int)(blockIdx.y / across) * R, j0 = (int)(blockIdx.y % across) * R;
    int first = (int)groups[2 * blockIdx.z], count = (int)groups[2 * blockIdx.z + 1];
    strings += first * STRING_FIELDS;
    i64 flip = strings[FLIP];
    double re[R * R * S], im[R * R * S];
#pragma unroll
    for (int k = 0; k < R * R * S; k++) re[k] = im[k] = 0;
    for (i64 x = (i64)blockIdx.x * blockDim.x + threadIdx.x; x < size;
         x += (i64)gridDim.x * blockDim.x) {
        double factors[S];
#pragma unroll
        for (int s = 0; s < S; s++)
            factors[s] = s < count ? factor_at(strings + s * STRING_FIELDS, x) : 0.0;
        Pair<T> left[R], right[R];
#pragma unroll
        for (int k = 0; k < R; k++) {  // rows that there are not: the last one, again
            left[k] = bra[(i64)(i0 + k < a ? i0 + k : a - 1) * size + (x ^ flip)];
            right[k] = ket[(i64)(j0 + k < b ? j0 + k : b - 1) * size + x];
        }
#pragma unroll
        for (int i = 0; i < R; i++) {
            double p = left[i].re, q = left[i].im;
#pragma unroll
            for (int j = 0; j < R; j++) {
                double u = right[j].re, v = right[j].im;
                double product_re = p * u + q * v, product_im = p * v - q * u;
#pragma unroll
                for (int s = 0; s < S; s++) {
                    re[(s * R + i) * R + j] += factors[s] * product_re;
                    im[(s * R + i) * R + j] += factors[s] * product_im;
                }
            }
        }
    }
    Pair<double>* found = (Pair<double>*)memory;
#pragma unroll
    for (int s = 0; s < S; s++) {
#pragma unroll
        for (int k = 0; k < R * R; k++) {
            found[threadIdx.x] = {re[s * R * R + k], im[s * R * R + k]};
            __syncthreads();
            for (int left = blockDim.x; left > 1; left = (left + 1) / 2) {
                int half = (left + 1) / 2;
                if ((int)threadIdx.x + half < left) {
                    found[threadIdx.x].re += found[threadIdx.x + half].re;
                    found[threadIdx.x].im += found[threadIdx.x + half].im;
                }
                __syncthreads();
            }
            int i = i0 + k / R, j = j0 + k % R;
            if (threadIdx.x == 0 && s < count && i < a && j < b)
                out[(((i64)(first + s) * a + i) * b + j) * gridDim.x + blockIdx.x] = found[0];
            __syncthreads();
        }
    }
}

// Columns of the states that strings make: row (s, j) is factor(y ^ flip) ket_j[y ^ flip] for
// columns y from `start`; the conjugates of these, if asked for.
template <typename T> __device__ void
images(const Pair<T>* ket, i64 size, i64 rows, i64 start, i64 columns, const i64* strings,
       i64 count, int conjugate, Pair<T>* out) {
    for (i64 line = blockIdx.y; line < count * rows; line += gridDim.y) {
        const i64* string = strings + line / rows * STRING_FIELDS;
        const Pair<T>* state = ket + line % rows * size;
        for (i64 column = (i64)blockIdx.x * blockDim.x + threadIdx.x; column < columns;
             column += (i64)gridDim.x * blockDim.x) {
            i64 x = (start + column) ^ string[FLIP];
            T factor = (T)factor_at(string, x);
            Pair<T> image = state[x];
            image.re *= factor;
            image.im *= conjugate ? -factor : factor;
            out[line * columns + column] = image;
        }
    }
}

// A 2 x 2 matrix on one qubit of all states, in place; `pairs` is half of all amplitudes.
template <typename T> __device__ void
rotate(Pair<T>* states, i64 pairs, int bit, const Pair<T>* m) {
    for (i64 item = (i64)blockIdx.x * blockDim.x + threadIdx.x; item < pairs;
         item += (i64)gridDim.x * blockDim.x) {
        i64 p = ((item >> bit) << (bit + 1)) | (item & ((1LL << bit) - 1)), q = p | 1LL << bit;
        Pair<T> u = states[p], v = states[q];
        Pair<T> up = {m[0].re * u.re - m[0].im * u.im + m[1].re * v.re - m[1].im * v.im,
                      m[0].re * u.im + m[0].im * u.re + m[1].re * v.im + m[1].im * v.re};
        Pair<T> down = {m[2].re * u.re - m[2].im * u.im + m[3].re * v.re - m[3].im * v.im,
                        m[2].re * u.im + m[2].im * u.re + m[3].re * v.im + m[3].im * v.re};
        states[p] = up;
        states[q] = down;
    }
}

// ---------------------------------------------------------------- what can be launched

// Blocks that share a multiprocessor leave each thread so many registers. A dense two-qubit gate in
// double precision needs more than a third of them: with 3 blocks its coefficients were spilled, and
// it took twice as long on an H100.
#define KERNELS(NAME, T, BLOCKS)                                                                  \
    extern "C" __global__ void __launch_bounds__(256, BLOCKS) run_pass_##NAME(                    \
        Pair<T>* states, const i64* plan, const Pair<T>* coefficients, i64 program_rows,          \
        i64 program_coefficients, int width, int first_choice, int choices) {                     \
        one_tile<T>(states, plan, coefficients, program_rows, program_coefficients, width,        \
                    first_choice, choices);                                                       \
    }                                                                                             \
    extern "C" __global__ void __launch_bounds__(256) sums_of_one_##NAME(                         \
        const Pair<T>* bra, const Pair<T>* ket, i64 size, int a, int b, const i64* strings,       \
        const i64* groups, Pair<double>* out) {                                                   \
        sums<T, 1, 8>(bra, ket, size, a, b, strings, groups, out);                                \
    }                                                                                             \
    extern "C" __global__ void __launch_bounds__(256) sums_of_four_##NAME(                        \
        const Pair<T>* bra, const Pair<T>* ket, i64 size, int a, int b, const i64* strings,       \
        const i64* groups, Pair<double>* out) {                                                   \
        sums<T, 4, 1>(bra, ket, size, a, b, strings, groups, out);                                \
    }                                                                                             \
    extern "C" __global__ void __launch_bounds__(256) images_##NAME(                              \
        const Pair<T>* ket, i64 size, i64 rows, i64 start, i64 columns, const i64* strings,       \
        i64 count, int conjugate, Pair<T>* out) {                                                 \
        images<T>(ket, size, rows, start, columns, strings, count, conjugate, out);               \
    }                                                                                             \
    extern "C" __global__ void __launch_bounds__(256) rotate_##NAME(                              \
        Pair<T>* states, i64 pairs, int bit, const Pair<T>* m) {                                  \
        rotate<T>(states, pairs, bit, m);                                                         \
    }

KERNELS(double, double, 2)
KERNELS(float, float, 3)
