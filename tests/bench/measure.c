/*
 * measure.c - runs a command and writes what it took: seconds, CPU seconds, peak kilobytes, exit
 * status; not part of ctest.
 *
 *   cc -D_DEFAULT_SOURCE -O2 -o measure tests/bench/measure.c
 *   measure RESULT-FILE COMMAND [ARGUMENT...]
 *
 * A program of its own, because Linux counts the memory of whoever forks as the peak of a child
 * that has not yet called exec: started from Python, nothing would seem smaller than Python. CPU is
 * that of the command and of all that it waited for; the peak is that of the largest process among
 * them.
 */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double
now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double
seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

int
main(int argc, char **argv)
{
    struct rusage usage;
    double began = now();
    int status = 0;
    FILE *result = argc < 3 ? NULL : fopen(argv[1], "we");
    pid_t child;

    if (result == NULL) {
        (void)fprintf(stderr, "usage: measure RESULT-FILE COMMAND [ARGUMENT...]\n");
        return 2;
    }
    child = fork();
    if (child == 0) {
        (void)execvp(argv[2], argv + 2);
        _exit(127);
    }
    if (child < 0 || wait4(child, &status, 0, &usage) != child)
        return 2;
    (void)fprintf(result, "%.6f %.6f %ld %d\n", now() - began,
                  seconds(usage.ru_utime) + seconds(usage.ru_stime), usage.ru_maxrss,
                  WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    return fclose(result) == 0 ? 0 : 2;
}
