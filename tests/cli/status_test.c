#include "cli/message.h"
#include "cli/status.h"
#include "support/test.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

/* A terminal of 20 columns, seen from both sides. */
struct terminal {
    int person, program;
};

static struct terminal open_terminal(void)
{
    struct terminal t;
    struct termios raw;
    struct winsize size = {.ws_row = 5, .ws_col = 20};
    setenv("TERM", "xterm", 1);
    if (openpty(&t.person, &t.program, NULL, NULL, &size) < 0) {
        print_message("no pseudo terminal here: is /dev/pts mounted?\n");
        skip();
    }
    assert_int_equal(tcgetattr(t.program, &raw), 0);
    cfmakeraw(&raw);
    assert_int_equal(tcsetattr(t.program, TCSANOW, &raw), 0);
    assert_int_equal(fcntl(t.person, F_SETFL, O_NONBLOCK), 0);
    return t;
}

static void close_terminal(const struct terminal *t)
{
    close(t->program);
    close(t->person);
}

/* The kernel hands a terminal's bytes over in its own time: waits for as many as are expected. */
static void expect_on_screen(const struct terminal *t, const char *expected)
{
    char text[4096];
    size_t len = 0;
    struct pollfd person = {.fd = t->person, .events = POLLIN};
    while (len < strlen(expected) && poll(&person, 1, 5000) > 0) {
        ssize_t n = read(t->person, text + len, sizeof text - 1 - len);
        if (n <= 0)
            break;
        len += (size_t)n;
    }
    ssize_t more = read(t->person, text + len, sizeof text - 1 - len);
    text[len + (size_t)(more > 0 ? more : 0)] = '\0';
    assert_string_equal(text, expected);
}

static void rewrites_one_line_at_its_rate(void **state)
{
    (void)state;
    struct terminal t = open_terminal();
    struct vox_status status;
    vox_status_init(&status, t.program, 100);
    assert_true(vox_status_due(&status, 1000));
    vox_status_show(&status, "one", 1000);
    expect_on_screen(&t, "\rone\033[K");
    assert_false(vox_status_due(&status, 1099));
    vox_status_show(&status, "too early", 1099);
    expect_on_screen(&t, "");
    vox_status_show(&status, "two", 1100);
    expect_on_screen(&t, "\rtwo\033[K");
    vox_status_clear(&status);
    expect_on_screen(&t, "\r\033[K");
    vox_status_clear(&status);
    expect_on_screen(&t, "");
    vox_status_show(&status, "back at once", 1101);
    expect_on_screen(&t, "\rback at once\033[K");
    close_terminal(&t);
}

static void cuts_to_the_terminal(void **state)
{
    (void)state;
    struct terminal t = open_terminal();
    struct vox_status status;
    vox_status_init(&status, t.program, 0);
    vox_status_show(&status, "0123456789012345678", 0);
    expect_on_screen(&t, "\r0123456789012345678\033[K");
    vox_status_show(&status, "\033[31m01234567890123456789", 0);
    expect_on_screen(&t, "\r\033[31m0123456789012345678\033[0m\033[K");
    close_terminal(&t);
}

static void a_stopped_terminal_does_not_block(void **state)
{
    (void)state;
    struct terminal t = open_terminal();
    struct vox_status status;
    vox_status_init(&status, t.program, 0);
    assert_int_equal(tcflow(t.program, TCOOFF), 0);
    alarm(10); /* would it block, this ends the test */
    for (int i = 0; i < 10000; i++)
        vox_status_show(&status, "is anybody there?", i);
    alarm(0);
    assert_false(status.shown);
    expect_on_screen(&t, "");
    assert_int_equal(tcflow(t.program, TCOON), 0);
    vox_status_show(&status, "here", 10000);
    expect_on_screen(&t, "\rhere\033[K");
    close_terminal(&t);
}

static void shows_nothing_elsewhere_than_on_a_terminal(void **state)
{
    (void)state;
    int ends[2];
    struct vox_status status;
    assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
    vox_status_init(&status, ends[1], 0);
    assert_false(vox_status_due(&status, 5));
    vox_status_show(&status, "text", 5);
    vox_status_clear(&status);
    char byte;
    assert_int_equal(read(ends[0], &byte, 1), -1);
    close(ends[0]);
    close(ends[1]);
    struct terminal t = open_terminal();
    setenv("TERM", "dumb", 1);
    vox_status_init(&status, t.program, 0);
    assert_false(vox_status_due(&status, 5));
    close_terminal(&t);
}

static void messages_take_the_line_away(void **state)
{
    (void)state;
    struct terminal t = open_terminal();
    struct vox_status status;
    FILE *stream = fdopen(t.program, "w");
    assert_non_null(stream);
    vox_status_init(&status, t.program, 0);
    vox_message_init("prog", stream);
    vox_message_set_status(&status);
    vox_status_show(&status, "line", 0);
    expect_on_screen(&t, "\rline\033[K");
    vox_message_error("lost");
    expect_on_screen(&t, "\r\033[Kprog: lost\n");
    vox_message_init(NULL, NULL);
    fclose(stream);
    close(t.person);
}

RUN(cmocka_unit_test(rewrites_one_line_at_its_rate), cmocka_unit_test(cuts_to_the_terminal),
    cmocka_unit_test(a_stopped_terminal_does_not_block),
    cmocka_unit_test(shows_nothing_elsewhere_than_on_a_terminal),
    cmocka_unit_test(messages_take_the_line_away))
