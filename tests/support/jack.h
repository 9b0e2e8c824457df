/*
 * A JACK server of the test's own, without hardware and without real-time rights: a child that ends
 * with the test. jack_start sets JACK_DEFAULT_SERVER, so that libraries and children find this one.
 *
 * The registry of JACK2 (/dev/shm/jack-shm-registry) has room for eight names. One that was killed
 * keeps its place until a server of the same name starts. So names come from a small set, each
 * guarded by a lock, instead of being new every time; tests/support/jack.sh takes part in this.
 *
 * On a busy machine JACK 1.9.21 now and then forgets a client, or waits for ever. So no wait here
 * is without an end, and no server lives longer than JACK_LIFE_S, which also ends what waits for
 * it. What hangs nevertheless is a client that waits for itself: see patient.sh.
 */
#ifndef VOX_TEST_JACK_H
#define VOX_TEST_JACK_H

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { JACK_NAMES = 6, JACK_LIFE_S = 60, JACK_ATTEMPTS = 3 };

static pid_t jack_pid;
static int jack_lock = -1;

/* Number of a name that no other test uses; kept until the end of the process. */
static inline int jack_lock_name(void)
{
    static int number = -1;
    for (int n = 0; jack_lock < 0 && n < JACK_NAMES; n++) {
        char path[64];
        snprintf(path, sizeof path, "/tmp/voxgram-jack-%d-%d.lock", (int)getuid(), n);
        jack_lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (jack_lock >= 0 && flock(jack_lock, LOCK_EX | LOCK_NB) == 0) {
            number = n;
            break;
        }
        close(jack_lock);
        jack_lock = -1;
    }
    return number;
}

static inline void jack_exec(const char *name, int rate_hz, int period)
{
    char rate[16], frames[16];
    snprintf(rate, sizeof rate, "%d", rate_hz);
    snprintf(frames, sizeof frames, "%d", period);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    int null = open("/dev/null", O_RDWR);
    dup2(null, STDOUT_FILENO);
    dup2(null, STDERR_FILENO);
    alarm(JACK_LIFE_S); /* outlives exec */
    execlp("jackd", "jackd", "-n", name, "--no-realtime", "-d", "dummy", "-r", rate, "-p", frames,
           (char *)NULL);
    _exit(127);
}

static inline void jack_stop(int signal_number)
{
    if (jack_pid <= 0)
        return;
    kill(jack_pid, signal_number);
    for (int i = 0; i < 100; i++) {
        if (waitpid(jack_pid, NULL, WNOHANG) != 0) {
            jack_pid = 0;
            return;
        }
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    }
    printf("jackd does not end by itself\n");
    kill(jack_pid, SIGKILL);
    waitpid(jack_pid, NULL, 0);
    jack_pid = 0;
}

/* Whether it answers before it gives up or is given up. */
static inline bool jack_answers(void)
{
    for (int i = 0; i < 10 * JACK_LIFE_S / 2; i++) {
        if (waitpid(jack_pid, NULL, WNOHANG) != 0) {
            jack_pid = 0;
            return false;
        }
        if (system("timeout -s KILL 10 jack_lsp >/dev/null 2>&1") == 0)
            return true;
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    }
    return false;
}

/* False if there is no jackd, or none that answers. */
static inline bool jack_start(int rate_hz, int period)
{
    if (system("command -v jackd >/dev/null && command -v jack_lsp >/dev/null") != 0)
        return false;
    int number = jack_lock_name();
    if (number < 0)
        return false;
    char name[32];
    snprintf(name, sizeof name, "voxtest%d", number);
    setenv("JACK_DEFAULT_SERVER", name, 1);
    setenv("JACK_NO_AUDIO_RESERVATION", "1", 1); /* asks no session bus for sound cards */
    for (int attempt = 0; attempt < JACK_ATTEMPTS; attempt++) {
        jack_pid = fork();
        if (jack_pid == 0)
            jack_exec(name, rate_hz, period);
        if (jack_answers())
            return true;
        jack_stop(SIGKILL);
    }
    return false;
}

/* Whether `ours` becomes connected to `port` within some seconds. */
static inline bool jack_is_connected(const char *port, const char *ours)
{
    char command[200];
    snprintf(command, sizeof command,
             "timeout -s KILL 10 jack_lsp -c %s 2>/dev/null | grep -qF '%s'", port, ours);
    for (int i = 0; i < 100; i++) {
        if (system(command) == 0)
            return true;
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    }
    return false;
}

#endif
