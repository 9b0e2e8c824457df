/*
 * cputime FILE COMMAND [ARGUMENT...]
 *
 * Runs the command and appends its processor time to FILE, in milliseconds: `user system wall
 * switches`. The time is the whole process's, from exec to exit, all its threads and what the
 * kernel did for it (wait4); switches are context switches, voluntary and not. Exits as the command
 * does.
 */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double ms_of(struct timeval t)
{
    return (double)t.tv_sec * 1e3 + (double)t.tv_usec / 1e3;
}

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int append(const char *path, const struct rusage *usage, double wall_ms)
{
    FILE *file = fopen(path, "a");
    if (!file)
        return -1;
    fprintf(file, "%.3f %.3f %.1f %ld\n", ms_of(usage->ru_utime), ms_of(usage->ru_stime), wall_ms,
            usage->ru_nvcsw + usage->ru_nivcsw);
    return fclose(file);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: cputime FILE COMMAND [ARGUMENT...]\n");
        return 2;
    }
    double start_ms = now_ms();
    pid_t child = fork();
    if (child == 0) {
        execvp(argv[2], argv + 2);
        perror(argv[2]);
        _exit(127);
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) < 0)
        return 1;
    struct rusage usage;
    if (getrusage(RUSAGE_CHILDREN, &usage) < 0 || append(argv[1], &usage, now_ms() - start_ms) != 0)
        return 1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
