#include "lab/rtnl.h"

#include "lab/netns.h"
#include "support/test.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { HEADERS = sizeof(struct nlmsghdr) + sizeof(struct ifinfomsg) };

static struct rtattr attribute_at(const struct vox_rtnl_request *request, size_t at)
{
    struct rtattr attribute;
    assert_in_range(at, 0, request->len - sizeof attribute);
    memcpy(&attribute, request->bytes + at, sizeof attribute);
    return attribute;
}

/* netlink(7): lengths without, places with what fills up to 4 bytes. */
static void attributes_lie_in_each_other(void **state)
{
    (void)state;
    struct vox_rtnl_request request;
    vox_rtnl_link(&request, NLM_F_CREATE, 7);
    assert_int_equal(request.len, HEADERS);
    size_t nest = vox_rtnl_nest(&request, IFLA_LINKINFO);
    assert_int_equal(nest, HEADERS);
    vox_rtnl_text(&request, IFLA_INFO_KIND, "veth");
    vox_rtnl_put(&request, IFLA_ADDRESS, "abcdef", 6);
    vox_rtnl_end(&request, nest);
    struct nlmsghdr header;
    memcpy(&header, request.bytes, sizeof header);
    assert_int_equal(header.nlmsg_type, RTM_NEWLINK);
    assert_int_equal(header.nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE);
    assert_int_equal(attribute_at(&request, nest).rta_len, 4 + 12 + 12);
    assert_int_equal(attribute_at(&request, nest + 4).rta_type, IFLA_INFO_KIND);
    assert_int_equal(attribute_at(&request, nest + 4).rta_len, 4 + 5);
    assert_memory_equal(request.bytes + nest + 8, "veth\0\0\0", 8);
    assert_int_equal(attribute_at(&request, nest + 16).rta_len, 4 + 6);
    assert_int_equal(request.len, HEADERS + 4 + 12 + 12);
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    static const uint8_t zeros[VOX_RTNL_BYTES];
    struct vox_rtnl_request request;
    vox_rtnl_link(&request, 0, 1);
    vox_rtnl_put(&request, IFLA_ALT_IFNAME, zeros, sizeof zeros - HEADERS);
    size_t nest = vox_rtnl_nest(&request, IFLA_LINKINFO);
    vox_rtnl_end(&request, nest);
    assert_int_equal(vox_rtnl_ask(-1, &request), -1);
    assert_int_equal(errno, EMSGSIZE);
    vox_rtnl_link(&request, 0, 1);
    assert_int_equal(vox_rtnl_ask(-1, &request), -1);
    assert_int_equal(errno, EBADF);
}

static int kernels_end; /* of a pair, where the test is the kernel */

static void answer(int signal)
{
    (void)signal;
    struct {
        struct nlmsghdr header;
        struct nlmsgerr error;
    } refusal = {.header = {.nlmsg_len = sizeof refusal, .nlmsg_type = NLMSG_ERROR},
                 .error.error = -ENODEV};
    (void)!write(kernels_end, &refusal, sizeof refusal);
}

static void a_signal_does_not_part_answer_and_request(void **state)
{
    (void)state;
    const struct sigaction interrupt = {.sa_handler = answer}; /* without SA_RESTART */
    const struct itimerval soon = {.it_value.tv_usec = 50000};
    struct vox_rtnl_request request;
    int pair[2];
    assert_return_code(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), errno);
    kernels_end = pair[1];
    sigaction(SIGALRM, &interrupt, NULL);
    setitimer(ITIMER_REAL, &soon, NULL);
    vox_rtnl_link(&request, 0, 1);
    assert_int_equal(vox_rtnl_ask(pair[0], &request), -1);
    assert_int_equal(errno, ENODEV);
    close(pair[0]);
    close(pair[1]);
}

static void what_is_no_answer_is_refused(void **state)
{
    (void)state;
    static const struct nlmsghdr other = {.nlmsg_len = sizeof other, .nlmsg_type = RTM_NEWLINK};
    struct vox_rtnl_request request;
    int pair[2];
    assert_return_code(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), errno);
    for (size_t len = 1; len <= sizeof other; len += sizeof other - 1) {
        assert_int_equal(write(pair[1], &other, len), len);
        vox_rtnl_link(&request, 0, 1);
        assert_int_equal(vox_rtnl_ask(pair[0], &request), -1);
        assert_int_equal(errno, EPROTO);
    }
    close(pair[0]);
    close(pair[1]);
}

/* An answer of the kernel: in a network of our own, where we may ask. */
static void a_refusal_is_an_errno(void **state)
{
    (void)state;
    struct vox_net_error error;
    struct vox_rtnl_request request;
    if (vox_netns_enter(&error) < 0)
        skip();
    int rtnl = vox_rtnl_open();
    vox_rtnl_link(&request, NLM_F_CREATE | NLM_F_EXCL, 0);
    size_t info = vox_rtnl_nest(&request, IFLA_LINKINFO);
    vox_rtnl_text(&request, IFLA_INFO_KIND, "nosuch");
    vox_rtnl_end(&request, info);
    assert_int_equal(vox_rtnl_ask(rtnl, &request), -1);
    assert_int_equal(errno, EOPNOTSUPP);
    vox_rtnl_link(&request, 0, 4711);
    assert_int_equal(vox_rtnl_ask(rtnl, &request), -1);
    assert_int_equal(errno, ENODEV);
    vox_rtnl_link(&request, 0, 1); /* lo */
    assert_int_equal(vox_rtnl_ask(rtnl, &request), 0);
    close(rtnl);
}

RUN(cmocka_unit_test(attributes_lie_in_each_other), cmocka_unit_test(what_does_not_fit_is_refused),
    cmocka_unit_test(a_signal_does_not_part_answer_and_request),
    cmocka_unit_test(what_is_no_answer_is_refused), cmocka_unit_test(a_refusal_is_an_errno))
