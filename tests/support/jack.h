/*
 * A JACK server of the test's own, without hardware and without real-time rights: a child that dies
 * with the test. jack_start sets JACK_DEFAULT_SERVER, so that libraries and children find this one.
 */
#ifndef VOX_TEST_JACK_H
#define VOX_TEST_JACK_H

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pid_t jack_pid;

static inline void jack_exec(const char *name, int rate_hz, int period)
{
    char rate[16], frames[16];
    snprintf(rate, sizeof rate, "%d", rate_hz);
    snprintf(frames, sizeof frames, "%d", period);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int null = open("/dev/null", O_RDWR);
    dup2(null, STDOUT_FILENO);
    dup2(null, STDERR_FILENO);
    execlp("jackd", "jackd", "-n", name, "--no-realtime", "-d", "dummy", "-r", rate, "-p", frames,
           (char *)NULL);
    _exit(127);
}

static inline bool jack_answers(void)
{
    return system("jack_lsp >/dev/null 2>&1") == 0;
}

/* False if there is no jackd, or none that answers within ten seconds. */
static inline bool jack_start(int rate_hz, int period)
{
    if (system("command -v jackd >/dev/null && command -v jack_lsp >/dev/null") != 0)
        return false;
    char name[32];
    snprintf(name, sizeof name, "voxtest%d", (int)getpid());
    setenv("JACK_DEFAULT_SERVER", name, 1);
    jack_pid = fork();
    if (jack_pid == 0)
        jack_exec(name, rate_hz, period);
    for (int i = 0; i < 100; i++) {
        if (waitpid(jack_pid, NULL, WNOHANG) != 0)
            return false; /* it has given up */
        if (jack_answers())
            return true;
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    }
    return false;
}

static inline void jack_stop(int signal_number)
{
    if (jack_pid <= 0)
        return;
    kill(jack_pid, signal_number);
    waitpid(jack_pid, NULL, 0);
    jack_pid = 0;
}

#endif
