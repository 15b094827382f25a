/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Boost.Fiber in the task loops (Debian: libboost-fiber-dev). Usage: peer LOOP WORKERS N; one worker: fibers of other threads need algo::work_stealing, used for two. */
#include "timing.h"
#include <boost/fiber/algo/work_stealing.hpp>
#include <boost/fiber/all.hpp>
#include <thread>
#include <vector>
namespace f = boost::fibers;

static void loops(const char *loop, int n) {
    double start = now_ns();
    if (!strcmp(loop, "spawn-1000")) { /* no more at once: that many stacks end the process */
        for (int done = 0; done < n; done += 1000) {
            std::vector<f::fiber> v;
            for (int i = 0; i < 1000; i++)
                v.emplace_back([] {});
            for (auto &x : v)
                x.join();
        }
        print_per_op(start, n);
    } else if (!strcmp(loop, "spawn-one")) {
        for (int i = 0; i < n; i++)
            f::fiber([] {}).join();
        print_per_op(start, n);
    } else if (!strcmp(loop, "yield")) {
        auto y = [n] {
            for (int i = 0; i < n; i++)
                boost::this_fiber::yield();
        };
        f::fiber a(y), b(y);
        a.join();
        b.join();
        print_per_op(start, 2.0 * n);
    } else if (!strcmp(loop, "ping-pong")) {
        f::unbuffered_channel<int> a, b;
        f::fiber p([&] {
            int v;
            while (a.pop(v) == f::channel_op_status::success)
                b.push(v);
        });
        for (int i = 0; i < n; i++) {
            int v;
            a.push(i);
            b.pop(v);
        }
        a.close();
        p.join();
        print_per_op(start, n);
    } else if (!strcmp(loop, "bounded-1") || !strcmp(loop, "bounded-4")) {
        int producers = loop[8] - '0';
        f::buffered_channel<int> c(128);
        std::vector<f::fiber> v;
        for (int p = 0; p < producers; p++)
            v.emplace_back([&c, n, producers] {
                for (int i = 0; i < n / producers; i++)
                    c.push(i);
            });
        long sum = 0;
        for (int i = 0; i < n / producers * producers; i++) {
            int x;
            c.pop(x);
            sum += x;
        }
        for (auto &x : v)
            x.join();
        if (sum == 1)
            puts("");
        print_per_op(start, n);
    } else
        puts("none");
}
int main(int argc, char **argv) {
    if (argc != 4)
        return 2;
    int workers = atoi(argv[2]);
    if (workers == 1) {
        loops(argv[1], atoi(argv[3]));
        return 0;
    }
    puts("none");
    return 0;
}
