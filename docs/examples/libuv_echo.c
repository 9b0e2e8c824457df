/*
 * poll_server.c once more, with libuv: the loop, the list of descriptors, partial writes and EINTR
 * are its business (on Linux with epoll), and what happens comes as calls to our functions.
 * docs/sockets.md, "What libuv does".
 *
 *     cc -std=c11 -o libuv_echo libuv_echo.c -luv
 *     ./libuv_echo 7000       0: any free port; it is printed
 *
 * Ends in order with Ctrl-C: every client is closed, then the loop has nothing left and returns.
 */
#define _POSIX_C_SOURCE 200809L

#include <arpa/inet.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

enum { QUEUE_BYTES = 64 * 1024 };

struct client {
    uv_tcp_t tcp;  /* first: a pointer to it is one to the client */
    uint16_t port; /* asked for while it is connected; afterwards nobody knows */
};

/* A write that is under way, and its bytes: they must live until libuv says that it is done. */
struct echo {
    uv_write_t request;
    char bytes[];
};

static uint16_t port_of(const uv_tcp_t *tcp, int (*ask)(const uv_tcp_t *, struct sockaddr *, int *))
{
    struct sockaddr_in address = {0};
    int len = sizeof address;
    ask(tcp, (struct sockaddr *)&address, &len);
    return ntohs(address.sin_port);
}

/* Memory of a handle is freed when libuv has let go of it, not before. */
static void on_closed(uv_handle_t *client)
{
    free(client);
}

static void let_go(uv_stream_t *client, const char *why)
{
    if (uv_is_closing((uv_handle_t *)client))
        return;
    printf("%u let go: %s\n", ((struct client *)client)->port, why);
    uv_close((uv_handle_t *)client, on_closed);
}

static void on_written(uv_write_t *request, int status)
{
    if (status < 0 && status != UV_ECANCELED)
        let_go(request->handle, uv_strerror(status));
    free(request); /* the first member of struct echo */
}

static void on_shutdown(uv_shutdown_t *request, int status)
{
    let_go(request->handle, status < 0 ? uv_strerror(status) : "it has ended");
    free(request);
}

/* Called before each read, for the place where the bytes shall go. */
static void on_alloc(uv_handle_t *client, size_t suggested, uv_buf_t *out)
{
    (void)client;
    struct echo *echo = malloc(sizeof *echo + suggested);
    *out = uv_buf_init(echo ? echo->bytes : NULL, echo ? (unsigned)suggested : 0);
}

static void finish(uv_stream_t *client)
{
    /* Comes back when all that waits has gone out. */
    uv_shutdown_t *request = malloc(sizeof *request);
    if (!request || uv_shutdown(request, client, on_shutdown) < 0) {
        free(request);
        let_go(client, "it has ended");
    }
}

static void on_read(uv_stream_t *client, ssize_t got, const uv_buf_t *buffer)
{
    struct echo *echo =
        buffer->base ? (struct echo *)(void *)(buffer->base - offsetof(struct echo, bytes)) : NULL;
    if (got > 0) {
        const uv_buf_t out = uv_buf_init(echo->bytes, (unsigned)got);
        int err = uv_write(&echo->request, client, &out, 1, on_written);
        /* What did not go out at once waits in a queue: it must not grow for ever. */
        if (err < 0)
            let_go(client, uv_strerror(err));
        else if (uv_stream_get_write_queue_size(client) > QUEUE_BYTES)
            let_go(client, "too slow, its queue is full");
        if (err == 0)
            return; /* on_written frees it */
    } else if (got == UV_EOF) {
        finish(client);
    } else if (got < 0) {
        let_go(client, uv_strerror((int)got));
    }
    free(echo);
}

static void on_connection(uv_stream_t *server, int status)
{
    struct client *client = status < 0 ? NULL : calloc(1, sizeof *client);
    if (!client || uv_tcp_init(server->loop, &client->tcp) < 0) {
        fprintf(stderr, "cannot take a client: %s; going on\n",
                uv_strerror(status < 0 ? status : UV_ENOMEM));
        free(client);
        return;
    }
    if (uv_accept(server, (uv_stream_t *)client) < 0) {
        uv_close((uv_handle_t *)client, on_closed);
        return;
    }
    client->port = port_of(&client->tcp, uv_tcp_getpeername);
    printf("%u has come\n", client->port);
    uv_read_start((uv_stream_t *)client, on_alloc, on_read);
}

static void close_one(uv_handle_t *handle, void *server)
{
    if (handle->type == UV_TCP && handle != server)
        let_go((uv_stream_t *)handle, "the server ends");
    else if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void on_signal(uv_signal_t *signal, int number)
{
    (void)number;
    uv_walk(signal->loop, close_one, signal->data);
}

/* 0, or libuv's error. */
static int start(uv_loop_t *loop, uv_tcp_t *server, uv_signal_t *signal, int port)
{
    struct sockaddr_in local;
    uv_tcp_init(loop, server);
    uv_signal_init(loop, signal);
    signal->data = server;
    int err = uv_ip4_addr("0.0.0.0", port, &local);
    if (err == 0)
        err = uv_tcp_bind(server, (const struct sockaddr *)&local, 0);
    if (err == 0)
        err = uv_listen((uv_stream_t *)server, 128, on_connection);
    return err ? err : uv_signal_start(signal, on_signal, SIGINT);
}

int main(int argc, char **argv)
{
    long port = argc == 2 ? strtol(argv[1], NULL, 10) : -1;
    if (port < 0 || port > 65535) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    /* libuv writes without MSG_NOSIGNAL: a client that has gone would end us by this signal. */
    signal(SIGPIPE, SIG_IGN);
    uv_loop_t *loop = uv_default_loop();
    uv_tcp_t server;
    uv_signal_t signal;
    int err = start(loop, &server, &signal, (int)port);
    if (err) {
        fprintf(stderr,
                "cannot listen on port %ld: %s; end the program that has it, or choose "
                "another port, above 1023\n",
                port, uv_strerror(err));
        uv_walk(loop, close_one, &server);
    } else {
        printf("listening on port %u\n", port_of(&server, uv_tcp_getsockname));
    }
    uv_run(loop, UV_RUN_DEFAULT);
    uv_loop_close(loop);
    return err ? 1 : 0;
}
