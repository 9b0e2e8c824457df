#include "net/address.h"

#include "base/err.h"
#include "support/test.h"

#include <arpa/inet.h>

static const char long_host[] =
    "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggghhhhhhhhhhiiiiiiiiii"
    "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggghhhhhhhhhhiiiiiiiiii"
    "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggghhhhhhhhhhiiiiiiiiii";

static const char long_path[] =
    "unix:/"
    "aaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggghhhhhhhhhhiiiiiiiiii"
    "aaaaaaaaaabbbbbbbbbb";

static void takes_apart_what_people_write(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host;
        bool v6;
        const char *service;
        uint16_t port;
        bool has_port;
    } rows[] = {
        {"example.org", "example.org", false, "", 5004, false},
        {"example.org:6000", "example.org", false, "", 6000, true},
        {"192.0.2.1", "192.0.2.1", false, "", 5004, false},
        {"192.0.2.1:0", "192.0.2.1", false, "", 0, true},
        {"192.0.2.1:65535", "192.0.2.1", false, "", 65535, true},
        {"192.0.2.1:05004", "192.0.2.1", false, "", 5004, true},
        {"udp://192.0.2.1:5006", "192.0.2.1", false, "", 5006, true},
        {"UDP://host", "host", false, "", 5004, false},
        {"rtp://host:7000", "host", false, "", 7000, true},
        {":5006", "", false, "", 5006, true},
        {"udp://:5006", "", false, "", 5006, true},
        {":ntp", "", false, "ntp", 5004, true},
        {"host:sip-tls", "host", false, "sip-tls", 5004, true},
        {"[::1]:5004", "::1", true, "", 5004, true},
        {"[::1]", "::1", true, "", 5004, false},
        {"::1", "::1", true, "", 5004, false},
        {"::", "::", true, "", 5004, false},
        {"udp://[2001:db8::7]:9", "2001:db8::7", true, "", 9, true},
        {"2001:db8::5004", "2001:db8::5004", true, "", 5004, false},
        {"[fe80::1%eth0]:5004", "fe80::1%eth0", true, "", 5004, true},
        {"fe80::1%2", "fe80::1%2", true, "", 5004, false},
        {"[::ffff:192.0.2.1]:8", "::ffff:192.0.2.1", true, "", 8, true},
        {"[ff02::5]:domain", "ff02::5", true, "domain", 5004, true},
        {"my_host-1.local:1", "my_host-1.local", false, "", 1, true},
        {"m\xc3\xbcnchen.example:1", "m\xc3\xbcnchen.example", false, "", 1, true},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct vox_endpoint endpoint;
        struct vox_net_error error = {""};
        int err = vox_address_parse(rows[i].text, &endpoint, &error);
        if (err < 0)
            fail_msg("%s: %s", rows[i].text, error.text);
        assert_int_equal(endpoint.scheme, VOX_SCHEME_UDP);
        assert_string_equal(endpoint.host, rows[i].host);
        assert_int_equal(endpoint.host_is_v6, rows[i].v6);
        assert_string_equal(endpoint.service, rows[i].service);
        assert_int_equal(endpoint.port, rows[i].port);
        assert_int_equal(endpoint.has_port, rows[i].has_port);
    }
}

static void takes_apart_other_transports(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum vox_scheme scheme;
        const char *host, *path;
        uint16_t port;
        const char *prints;
    } rows[] = {
        {"tcp://192.0.2.1", VOX_SCHEME_TCP, "192.0.2.1", "", 5004, "192.0.2.1:5004"},
        {"TCP://:7000", VOX_SCHEME_TCP, "", "", 7000, "127.0.0.1:7000"},
        {"tcp://[::1]:9", VOX_SCHEME_TCP, "::1", "", 9, "[::1]:9"},
        {"unix:/run/x", VOX_SCHEME_UNIX, "", "/run/x", 5004, "unix:/run/x"},
        {"unix:a b:c", VOX_SCHEME_UNIX, "", "a b:c", 5004, "unix:a b:c"},
        {"unix:5004", VOX_SCHEME_UNIX, "", "5004", 5004, "unix:5004"},
        {"unix:@voxgram", VOX_SCHEME_UNIX, "", "@voxgram", 5004, "unix:@voxgram"},
        {"unix-stream:/run/x", VOX_SCHEME_UNIX_STREAM, "", "/run/x", 5004, "unix:/run/x"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct vox_endpoint endpoint;
        struct vox_address address;
        char text[VOX_ADDRESS_TEXT_BYTES];
        assert_int_equal(vox_address_parse(rows[i].text, &endpoint, NULL), 0);
        assert_int_equal(endpoint.scheme, rows[i].scheme);
        assert_string_equal(endpoint.host, rows[i].host);
        assert_string_equal(endpoint.path, rows[i].path);
        assert_int_equal(endpoint.port, rows[i].port);
        const struct vox_address_hints hints = {0};
        assert_int_equal(vox_address_resolve(&endpoint, &hints, &address, NULL), 0);
        assert_string_equal(vox_address_format(&address, text), rows[i].prints);
        assert_true(vox_address_equal(&address, &address));
    }
}

static void says_what_is_wrong_with_the_rest(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int err;
        const char *says;
    } rows[] = {
        {"", VOX_EFORMAT, "empty"},
        {"udp://", VOX_EFORMAT, "empty"},
        {"5004", VOX_EFORMAT, ":5004"},
        {"host:", VOX_EFORMAT, "neither a port number"},
        {"host:-1", VOX_EFORMAT, "-1"},
        {"host:65536", VOX_EFORMAT, "65536"},
        {"host:99999999999999999999999999", VOX_EFORMAT, "0..65535"},
        {"host:5004x y", VOX_EFORMAT, "neither"},
        {"host: 5004", VOX_EFORMAT, "neither"},
        {"ho st:5004", VOX_EFORMAT, "not a host"},
        {"host/path:5004", VOX_EFORMAT, "not a host"},
        {"host\n:5004", VOX_EFORMAT, "not a host"},
        {"%eth0:5004", VOX_EFORMAT, "not a host"},
        {"[::1", VOX_EFORMAT, "]"},
        {"[::1]5004", VOX_EFORMAT, "]:PORT"},
        {"[::1]:", VOX_EFORMAT, "neither"},
        {"[]:5004", VOX_EFORMAT, "not an IPv6 address"},
        {"[192.0.2.1]:5004", VOX_EFORMAT, "not an IPv6 address"},
        {"[host]:5004", VOX_EFORMAT, "not an IPv6 address"},
        {"[fe80::1%]:5004", VOX_EFORMAT, "not an IPv6 address"},
        {"[fe80::1%a/b]:5004", VOX_EFORMAT, "not an IPv6 address"},
        {"[fe80::1%sixteen-and-more]:1", VOX_EFORMAT, "not an IPv6 address"},
        {"1:2:3", VOX_EFORMAT, "too many colons"},
        {"host:5004:5005", VOX_EFORMAT, "too many colons"},
        {"2001:db8::g", VOX_EFORMAT, "too many colons"},
        {long_host, VOX_EFORMAT, "270 characters"},
        {"host:aaaaaaaaaabbbbbbbbbbccccccccccdd", VOX_EFORMAT, "neither"},
        {"tcp://", VOX_EFORMAT, "empty"},
        {"tcp://5004", VOX_EFORMAT, ":5004"},
        {"unix:", VOX_EFORMAT, "the path is empty"},
        {"unix-stream:@", VOX_EFORMAT, "the path is empty"},
        {long_path, VOX_EFORMAT, "107 at the most"},
        {"http://host:80", VOX_EUNSUPPORTED, "udp://"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct vox_endpoint endpoint = {.port = 7};
        struct vox_net_error error = {""};
        int err = vox_address_parse(rows[i].text, &endpoint, &error);
        if (err != rows[i].err || !strstr(error.text, rows[i].says))
            fail_msg("\"%s\": %d, \"%s\"", rows[i].text, err, error.text);
        assert_int_equal(endpoint.port, 7);
        assert_int_equal(vox_address_parse(rows[i].text, &endpoint, NULL), rows[i].err);
    }
}

static struct vox_address address_of(const char *text)
{
    struct vox_address address;
    struct vox_net_error error;
    if (vox_address_lookup(text, &(struct vox_address_hints){0}, &address, &error) < 0)
        fail_msg("%s: %s", text, error.text);
    return address;
}

static void resolves_literals_and_prints_them_back(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"192.0.2.1", "192.0.2.1:5004"},
        {"192.0.2.1:80", "192.0.2.1:80"},
        {"::1", "[::1]:5004"},
        {"[2001:DB8:0:0::7]:9", "[2001:db8::7]:9"},
        {"[::ffff:192.0.2.1]:9", "192.0.2.1:9"},
        {"255.255.255.255:1", "255.255.255.255:1"},
        {"239.1.2.3", "239.1.2.3:5004"},
        {":6000", "127.0.0.1:6000"},
        {"[fe80::1%1]:5004", "[fe80::1%lo]:5004"},                  /* of each network the first */
        {"[fe80::1%2000000001]:5004", "[fe80::1%2000000001]:5004"}, /* it is gone */
        {"[fe80::1%lo]:5004", "[fe80::1%lo]:5004"},
        {"[1111:2222:3333:4444:5555:6666:7777:8888]:65535",
         "[1111:2222:3333:4444:5555:6666:7777:8888]:65535"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct vox_address address = address_of(rows[i][0]);
        char text[VOX_ADDRESS_TEXT_BYTES];
        assert_string_equal(vox_address_format(&address, text), rows[i][1]);
    }
    char text[VOX_ADDRESS_TEXT_BYTES];
    struct vox_address v6 = address_of("[2001:db8::7]:9");
    assert_string_equal(vox_address_format_host(&v6, text), "2001:db8::7");
    assert_string_equal(vox_address_format(&(struct vox_address){0}, text), "?");
}

static void no_host_means_every_address_when_listening(void **state)
{
    (void)state;
    struct vox_address address;
    char text[VOX_ADDRESS_TEXT_BYTES];
    struct vox_address_hints hints = {.listening = true};
    assert_int_equal(vox_address_lookup(":0", &hints, &address, NULL), 0);
    assert_string_equal(vox_address_format(&address, text), "[::]:0");
    assert_true(vox_address_is_any(&address));
    hints.family = AF_INET;
    assert_int_equal(vox_address_lookup(":0", &hints, &address, NULL), 0);
    assert_string_equal(vox_address_format(&address, text), "0.0.0.0:0");
    hints = (struct vox_address_hints){.family = AF_INET6};
    assert_int_equal(vox_address_lookup(":1", &hints, &address, NULL), 0);
    assert_string_equal(vox_address_format(&address, text), "[::1]:1");
}

static void resolves_names(void **state)
{
    (void)state;
    struct vox_address address;
    struct vox_net_error error = {""};
    struct vox_address_hints hints = {.family = AF_INET};
    assert_int_equal(vox_address_lookup("localhost:ntp", &hints, &address, &error), 0);
    assert_true(vox_address_is_loopback(&address));
    assert_int_equal(vox_address_family(&address), AF_INET);
    assert_int_equal(vox_address_port(&address), 123);
}

static void a_name_may_have_several_addresses(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_name;
    } rows[] = {{"tcp://localhost:7", true}, {"tcp://127.0.0.1:7", false},
                {"[::1]:7", false},          {":7", false},
                {"unix:@localhost", false},  {"127.1:7", false}};
    const struct vox_address_hints hints = {0};
    struct vox_address found[VOX_ADDRESS_MAX_FOUND], first;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct vox_endpoint endpoint;
        assert_int_equal(vox_address_parse(rows[i].text, &endpoint, NULL), 0);
        assert_int_equal(vox_address_is_name(&endpoint), rows[i].is_name);
        int count = vox_address_resolve_all(&endpoint, &hints, found, COUNT(found), NULL);
        assert_in_range(count, 1, COUNT(found));
        for (int f = 0; f < count && !endpoint.path[0]; f++)
            assert_int_equal(vox_address_port(&found[f]), 7);
        assert_int_equal(vox_address_resolve(&endpoint, &hints, &first, NULL), 0);
        assert_true(vox_address_equal(&first, &found[0]));
    }
}

static void says_what_cannot_be_resolved(void **state)
{
    (void)state;
    struct vox_address address;
    struct vox_net_error error = {""};
    struct vox_address_hints hints = {0};
    assert_int_equal(vox_address_lookup("192.0.2.1:no-such-thing", &hints, &address, &error),
                     VOX_ENOTFOUND);
    assert_non_null(strstr(error.text, "no-such-thing"));
    assert_int_equal(vox_address_lookup("192.0.2.1:0", &hints, &address, &error), VOX_EADDRESS);
    assert_non_null(strstr(error.text, "port 0"));
    hints.family = AF_INET6;
    assert_int_equal(vox_address_lookup("192.0.2.1:1", &hints, &address, &error), VOX_ENOTFOUND);
    assert_non_null(strstr(error.text, "IPv6"));
    hints.family = 0;
    /* Not found, or no name server to ask: either way it names the host and what to do. */
    int err = vox_address_lookup("host.invalid:5004", &hints, &address, &error);
    assert_true(err == VOX_ENOTFOUND || err == VOX_EADDRESS);
    assert_non_null(strstr(error.text, "host.invalid"));
    assert_non_null(strstr(error.text, "check"));
}

static void links_need_an_interface(void **state)
{
    (void)state;
    struct vox_address whole = address_of("[fe80::1%1]:1"), bare = address_of("[fe80::1]:1"),
                       other = address_of("[2001:db8::1]:1"), v4 = address_of("169.254.0.1:1");
    assert_true(vox_address_lacks_interface(&bare));
    assert_false(vox_address_lacks_interface(&whole));
    assert_false(vox_address_lacks_interface(&other));
    assert_false(vox_address_lacks_interface(&v4));
    struct vox_address_hints hints = {0};
    struct vox_net_error error = {""};
    assert_int_equal(vox_address_lookup("[fe80::1%nosuch]:1", &hints, &whole, &error),
                     VOX_ENOTFOUND);
    assert_non_null(strstr(error.text, "is an interface"));
}

static void tells_kinds_apart(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool any, multicast, loopback, broadcast, local;
    } rows[] = {
        {"0.0.0.0", true, false, false, false, false},
        {"[::]", true, false, false, false, false},
        {"127.0.0.1", false, false, true, false, true},
        {"127.9.9.9", false, false, true, false, true},
        {"::1", false, false, true, false, true},
        {"::ffff:127.0.0.1", false, false, true, false, true},
        {"224.0.0.1", false, true, false, false, false},
        {"239.255.255.255", false, true, false, false, false},
        {"::ffff:239.1.1.1", false, true, false, false, false},
        {"ff02::1", false, true, false, false, false},
        {"255.255.255.255", false, false, false, true, false},
        {"240.0.0.1", false, false, false, false, false},
        {"198.51.100.77", false, false, false, false, false},
        {"2001:db8::1", false, false, false, false, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct vox_address a = address_of(rows[i].text);
        assert_int_equal(vox_address_is_any(&a), rows[i].any);
        assert_int_equal(vox_address_is_multicast(&a), rows[i].multicast);
        assert_int_equal(vox_address_is_loopback(&a), rows[i].loopback);
        assert_int_equal(vox_address_is_broadcast(&a), rows[i].broadcast);
        assert_int_equal(vox_address_is_local(&a), rows[i].local);
    }
}

static void compares(void **state)
{
    (void)state;
    struct vox_address a = address_of("192.0.2.1:1"), b = address_of("192.0.2.1:2");
    struct vox_address mapped = {0}, near = address_of("[fe80::1%1]:1"),
                       far = address_of("[fe80::1%2]:1");
    assert_true(vox_address_equal(&a, &a));
    assert_false(vox_address_equal(&a, &b));
    assert_true(vox_address_equal_host(&a, &b));
    assert_int_equal(vox_address_for_family(&a, AF_INET6, &mapped), 0);
    assert_int_equal(vox_address_family(&mapped), AF_INET6);
    assert_true(vox_address_equal(&a, &mapped));
    assert_false(vox_address_equal(&near, &far));
    assert_false(vox_address_equal(&a, &near));
    vox_address_set_port(&b, 1);
    assert_true(vox_address_equal(&a, &b));
    assert_int_equal(vox_address_for_family(&near, AF_INET, &mapped), VOX_EADDRESS);
    assert_int_equal(vox_address_port(&(struct vox_address){0}), 0);
}

static int ask_name_server_once(void **state)
{
    (void)state;
    /* Where nobody answers, give up after a second instead of ten. */
    return setenv("RES_OPTIONS", "timeout:1 attempts:1", 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_apart_what_people_write),
        cmocka_unit_test(takes_apart_other_transports),
        cmocka_unit_test(says_what_is_wrong_with_the_rest),
        cmocka_unit_test(resolves_literals_and_prints_them_back),
        cmocka_unit_test(no_host_means_every_address_when_listening),
        cmocka_unit_test(resolves_names),
        cmocka_unit_test(a_name_may_have_several_addresses),
        cmocka_unit_test(says_what_cannot_be_resolved),
        cmocka_unit_test(links_need_an_interface),
        cmocka_unit_test(tells_kinds_apart),
        cmocka_unit_test(compares),
    };
    return cmocka_run_group_tests(tests, ask_name_server_once, NULL);
}
