/* What only Unix sockets have: names in the file system, and queues that are full. */
#include "net/transport.h"

#include "base/err.h"
#include "ends.h"
#include "support/folder.h"
#include "support/test.h"

#include <unistd.h>

static void unix_config(const char *scheme, const char *path, struct vox_transport_config *out)
{
    char text[200];
    vox_transport_config_init(out);
    snprintf(text, sizeof text, "%s:%s", scheme, path);
    assert_int_equal(vox_transport_lookup(text, 0, out, NULL), 0);
}

static const char *const unix_schemes[] = {"unix", "unix-stream"};

static void takes_over_what_a_dead_program_left(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(unix_schemes); i++) {
        char path[100], kept[108];
        struct vox_transport_config config;
        snprintf(path, sizeof path, "%s/stale", folder_path);
        snprintf(kept, sizeof kept, "%s.kept", path);
        unix_config(unix_schemes[i], path, &config);
        /* What is left of a program that was killed: the file under a name that nobody removes. */
        struct end *dead = end_open(&config);
        assert_int_equal(rename(path, kept), 0);
        end_close(dead);
        assert_int_equal(rename(kept, path), 0);
        struct end *end = end_open(&config);
        end_close(end);
        assert_int_equal(access(path, F_OK), -1);
    }
}

static void leaves_the_files_of_others_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(unix_schemes); i++) {
        char path[100];
        struct vox_transport_config config;
        snprintf(path, sizeof path, "%s/file", folder_path);
        unix_config(unix_schemes[i], path, &config);
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fclose(file);
        expect_error(&config, VOX_EINUSE, "no socket has that name");
        assert_int_equal(access(path, F_OK), 0);
        assert_int_equal(unlink(path), 0);
        /* At close, too: somebody else's by then. */
        struct end *first = end_open(&config);
        assert_int_equal(unlink(path), 0);
        struct end *second = end_open(&config);
        end_close(first);
        assert_int_equal(access(path, F_OK), 0);
        end_close(second);
        assert_int_equal(access(path, F_OK), -1);
    }
}

static void a_receiver_may_come_later_and_again(void **state)
{
    (void)state;
    char path[100];
    struct vox_transport_config config;
    snprintf(path, sizeof path, "%s/later", folder_path);
    unix_config("unix", path, &config);
    struct vox_transport_config call = config;
    call.role = VOX_TRANSPORT_CALL;
    struct end *sender = end_open(&call);
    for (int i = 0; i < 5; i++)
        assert_int_equal(vox_transport_send(sender->transport, "?", 1, NULL, NULL), 0);
    pump(&sender, 1);
    assert_int_equal(sender->events[VOX_TRANSPORT_TROUBLE], 1);
    assert_non_null(strstr(sender->last_event.text, path));
    assert_non_null(strstr(sender->last_event.text, "no such socket"));
    for (int i = 0; i < 2; i++) {
        struct end *receiver = end_open(&config);
        send_packet(sender, receiver, "here", 4);
        PUMP_UNTIL(receiver->received == 1, receiver);
        end_close(receiver);
        assert_int_equal(vox_transport_send(sender->transport, "?", 1, NULL, NULL), 0);
    }
    collect(sender);
    assert_int_equal(sender->events[VOX_TRANSPORT_TROUBLE], 1);
    assert_int_equal(stats_of(sender).sent_packets, 2);
    assert_int_equal(stats_of(sender).unsent, 7);
    end_close(sender);
}

/* More than the kernel holds for a receiver that does not read, and then more than we do. */
static void what_a_receiver_does_not_take_waits(void **state)
{
    (void)state;
    enum { KEPT = 1000, TOO_MANY = 3000 };
    char path[100];
    struct vox_transport_config config;
    snprintf(path, sizeof path, "%s/full", folder_path);
    unix_config("unix", path, &config);
    struct end *receiver = end_open(&config);
    config.role = VOX_TRANSPORT_CALL;
    config.queue_bytes = KEPT * 3; /* a byte and its length */
    struct end *sender = end_open(&config);
    for (int i = 0; i < KEPT; i++) {
        const uint8_t byte = (uint8_t)i;
        assert_int_equal(vox_transport_send(sender->transport, &byte, 1, NULL, NULL), 0);
    }
    assert_true(vox_transport_pending(sender->transport) > 0);
    PUMP_UNTIL(receiver->received == KEPT, sender, receiver);
    for (int i = 0; i < KEPT; i++)
        assert_int_equal(receiver->inbox[i].first, (uint8_t)i);
    assert_int_equal(vox_transport_pending(sender->transport), 0);
    assert_int_equal(stats_of(sender).queue_full, 0);
    assert_int_equal(sender->events[VOX_TRANSPORT_TROUBLE], 0);
    for (int i = 0; i < TOO_MANY; i++)
        assert_int_equal(vox_transport_send(sender->transport, "x", 1, NULL, NULL), 0);
    size_t dropped = (size_t)stats_of(sender).queue_full;
    assert_in_range(dropped, 1, TOO_MANY - KEPT);
    PUMP_UNTIL(receiver->received == KEPT + TOO_MANY - dropped, sender, receiver);
    assert_int_equal(stats_of(sender).sent_packets, KEPT + TOO_MANY - dropped);
    assert_int_equal(sender->events[VOX_TRANSPORT_TROUBLE], 1);
    expect_text(sender, "does not keep up");
    end_close(sender);
    end_close(receiver);
}

static void what_waits_goes_with_the_receiver(void **state)
{
    (void)state;
    char path[100];
    struct vox_transport_config config;
    snprintf(path, sizeof path, "%s/gone", folder_path);
    unix_config("unix", path, &config);
    struct end *receiver = end_open(&config);
    struct vox_transport_config call = config;
    call.role = VOX_TRANSPORT_CALL;
    struct end *sender = end_open(&call);
    while (vox_transport_pending(sender->transport) < 30)
        assert_int_equal(vox_transport_send(sender->transport, "x", 1, NULL, NULL), 0);
    end_close(receiver);
    PUMP_UNTIL(vox_transport_pending(sender->transport) == 0, sender);
    assert_int_equal(stats_of(sender).unsent, 10);
    receiver = end_open(&config);
    send_packet(sender, receiver, "new", 3);
    PUMP_UNTIL(receiver->received == 1, receiver);
    assert_int_equal(receiver->inbox[0].first, 'n');
    end_close(sender);
    end_close(receiver);
}

/* Who is answered has no queue here: reports, of which the next says more. */
static void answers_do_not_wait(void **state)
{
    (void)state;
    char path[100];
    struct vox_transport_config config;
    struct vox_net_error error = {""};
    snprintf(path, sizeof path, "%s/answer", folder_path);
    unix_config("unix", path, &config);
    struct end *receiver = end_open(&config);
    config.role = VOX_TRANSPORT_CALL;
    struct end *sender = end_open(&config);
    send_packet(sender, receiver, "x", 1);
    PUMP_UNTIL(receiver->received == 1, receiver);
    const struct vox_peer *to = &receiver->inbox[0].from;
    int err;
    while ((err = vox_transport_send(receiver->transport, "y", 1, to, &error)) == 0)
        continue;
    assert_int_equal(err, VOX_ENOSPC);
    assert_non_null(strstr(error.text, "queue is full"));
    assert_int_equal(stats_of(receiver).queue_full, 1);
    end_close(sender);
    end_close(receiver);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_over_what_a_dead_program_left),
        cmocka_unit_test(leaves_the_files_of_others_alone),
        cmocka_unit_test(a_receiver_may_come_later_and_again),
        cmocka_unit_test(what_a_receiver_does_not_take_waits),
        cmocka_unit_test(what_waits_goes_with_the_receiver),
        cmocka_unit_test(answers_do_not_wait),
    };
    return cmocka_run_group_tests(tests, folder_setup, folder_teardown_empty);
}
