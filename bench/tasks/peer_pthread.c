/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Plain glibc threads in the task loops: spawn one and join it. Usage: peer LOOP WORKERS N */
#include "timing.h"
#include <pthread.h>

static void *nothing(void *p) {
    return p;
}
int main(int argc, char **argv) {
    if (argc != 4)
        return 2;
    int n = atoi(argv[3]) / 100; /* thirty microseconds each */
    if (!strcmp(argv[1], "spawn-one")) {
        double start = now_ns();
        for (int i = 0; i < n; i++) {
            pthread_t t;
            pthread_create(&t, NULL, nothing, NULL);
            pthread_join(t, NULL);
        }
        print_per_op(start, n);
    } else
        puts("none");
    return 0;
}
