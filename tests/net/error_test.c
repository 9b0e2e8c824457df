#include "net/error.h"

#include "base/err.h"
#include "support/test.h"

#include <errno.h>

static void cuts_long_text_and_returns_the_code(void **state)
{
    (void)state;
    char text[2 * VOX_NET_ERROR_BYTES];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    struct vox_net_error error;
    assert_int_equal(vox_net_error_set(&error, VOX_EINUSE, "%s", text), VOX_EINUSE);
    assert_int_equal(strlen(error.text), VOX_NET_ERROR_BYTES - 1);
    assert_int_equal(vox_net_error_set(NULL, VOX_EIO, "%s", text), VOX_EIO);
}

static void maps_errno(void **state)
{
    (void)state;
    assert_int_equal(vox_net_error_code(EADDRINUSE), VOX_EINUSE);
    assert_int_equal(vox_net_error_code(EACCES), VOX_EPERMISSION);
    assert_int_equal(vox_net_error_code(ENETUNREACH), VOX_EADDRESS);
    assert_int_equal(vox_net_error_code(EMSGSIZE), VOX_ELIMIT);
    assert_int_equal(vox_net_error_code(ENOENT), VOX_ENOTFOUND);
    assert_int_equal(vox_net_error_code(EROFS), VOX_EPERMISSION);
    assert_int_equal(vox_net_error_code(EAGAIN), VOX_ENOSPC);
    assert_int_equal(vox_net_error_code(EILSEQ), VOX_EIO);
}

RUN(cmocka_unit_test(cuts_long_text_and_returns_the_code), cmocka_unit_test(maps_errno))
