/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* oneTBB in the task loops: spawn, fork-join, sum, sort (Debian: libtbb-dev). Usage: peer LOOP WORKERS N */
#include "timing.h"
#include <tbb/blocked_range.h>
#include <tbb/global_control.h>
#include <tbb/parallel_reduce.h>
#include <tbb/parallel_sort.h>
#include <tbb/task_group.h>
#include <vector>

static uint64_t skynet(uint64_t num, uint64_t size) {
    if (size == 1)
        return num;
    uint64_t part[10], sum = 0;
    tbb::task_group g;
    for (uint64_t i = 0; i < 10; i++)
        g.run([&part, i, num, size] { part[i] = skynet(num + i * size / 10, size / 10); });
    g.wait();
    for (uint64_t p : part)
        sum += p;
    return sum;
}
int main(int argc, char **argv) {
    if (argc != 4)
        return 2;
    const char *loop = argv[1];
    size_t n = strtoul(argv[3], NULL, 10);
    tbb::global_control limit(tbb::global_control::max_allowed_parallelism, strtoul(argv[2], NULL, 10));
    std::vector<uint64_t> v;
    volatile uint64_t sink;
    if (!strcmp(loop, "sum") || !strcmp(loop, "sort")) {
        uint64_t x = 88172645463325252u;
        for (size_t i = 0; i < n; i++)
            v.push_back(loop[1] == 'u' ? i : next_random(&x));
    }
    double start = now_ns();
    if (!strcmp(loop, "spawn") || !strcmp(loop, "spawn-again")) {
        for (int times = loop[5] ? 2 : 1; times > 0; times--) {
            start = now_ns();
            tbb::task_group g;
            for (size_t i = 0; i < n; i++)
                g.run([] {});
            g.wait();
        }
        print_per_op(start, (double)n);
    } else if (!strcmp(loop, "spawn-1000")) {
        for (size_t done = 0; done < n; done += 1000) {
            tbb::task_group g;
            for (int i = 0; i < 1000; i++)
                g.run([] {});
            g.wait();
        }
        print_per_op(start, (double)n);
    } else if (!strcmp(loop, "fork-join")) {
        sink = skynet(0, n);
        print_per_op(start, 1);
    } else if (!strcmp(loop, "sum")) {
        sink = tbb::parallel_reduce(
            tbb::blocked_range<size_t>(0, n), uint64_t(0),
            [&](const tbb::blocked_range<size_t> &r, uint64_t s) {
                for (size_t i = r.begin(); i != r.end(); i++)
                    s += v[i] ^ (v[i] >> 3);
                return s;
            },
            [](uint64_t a, uint64_t b) { return a + b; });
        print_per_op(start, (double)n);
    } else if (!strcmp(loop, "sort")) {
        tbb::parallel_sort(v.begin(), v.end());
        print_per_op(start, (double)n);
    } else
        puts("none");
    (void)sink;
    return 0;
}
