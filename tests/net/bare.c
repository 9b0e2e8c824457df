#include "bare.h"

#include "support/test.h"

#include <errno.h>
#include <unistd.h>

int bare_socket(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_return_code(fd, errno);
    return fd;
}

int bare_connect(const struct end *server)
{
    const struct vox_address *to = vox_transport_local(server->transport);
    int fd = bare_socket();
    assert_return_code(connect(fd, (const struct sockaddr *)&to->storage, to->len), errno);
    return fd;
}

int closed_place(struct vox_address *at)
{
    int fd = bare_socket();
    const int on = 1;
    socklen_t len = sizeof at->storage;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    assert_return_code(bind(fd, (const struct sockaddr *)&at->storage, at->len), errno);
    assert_return_code(getsockname(fd, (struct sockaddr *)&at->storage, &len), errno);
    return fd;
}

void write_all(int fd, const void *bytes, size_t len)
{
    assert_int_equal(send(fd, bytes, len, MSG_NOSIGNAL), len);
}

void reset(int fd)
{
    const struct linger now = {.l_onoff = 1};
    assert_return_code(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now), errno);
    close(fd);
}
