/* What a stream has to tell, kept until the owner asks and put into words then. */
#include "net/stream.h"

#include "base/err.h"
#include "base/time.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { WHO_BYTES = VOX_ADDRESS_TEXT_BYTES + 32 /* "caller 7 of ..." */ };

void vox_stream_note(struct vox_stream *stream, enum vox_transport_event_kind kind, int errno_value,
                     const struct vox_peer *peer)
{
    struct vox_stream_notes *notes = &stream->notes;
    if (notes->count == notes->capacity)
        return;
    struct vox_stream_note *note = &notes->ring[(notes->begin + notes->count) % notes->capacity];
    *note = (struct vox_stream_note){.kind = kind, .errno_value = errno_value};
    if (peer)
        note->peer = *peer;
    notes->count++;
}

bool vox_stream_take_note(struct vox_stream *stream, struct vox_stream_note *out)
{
    struct vox_stream_notes *notes = &stream->notes;
    if (notes->count == 0)
        return false;
    *out = notes->ring[notes->begin];
    notes->begin = (notes->begin + 1) % notes->capacity;
    notes->count--;
    return true;
}

/* Programs that come to a Unix socket have no name of their own: known by where they came to. */
static void describe_peer(const struct vox_stream *stream, const struct vox_peer *peer,
                          char out[WHO_BYTES])
{
    if (peer->address.len > 0) {
        vox_transport_format(stream->transport.scheme, &peer->address, out);
        return;
    }
    char where[VOX_ADDRESS_TEXT_BYTES];
    vox_transport_format(stream->transport.scheme, &stream->transport.local, where);
    if (peer->connection == 0) /* was never let in */
        snprintf(out, WHO_BYTES, "a caller of %s", where);
    else
        snprintf(out, WHO_BYTES, "caller %u of %s", peer->connection, where);
}

static bool calls(const struct vox_stream *stream)
{
    return stream->config.role == VOX_TRANSPORT_CALL;
}

/* What comes next when a connection is lost. */
static const char *and_then(const struct vox_stream *stream)
{
    return calls(stream) ? "; calling it again" : "";
}

/* Cut off where it is full. */
#define SAY(...) vox_net_error_set(out, 0, __VA_ARGS__)

static void explain_shortage(const struct vox_stream *stream, int errno_value,
                             struct vox_net_error *out)
{
    char where[VOX_ADDRESS_TEXT_BYTES];
    vox_transport_format(stream->transport.scheme, &stream->transport.local, where);
    if (errno_value == EMFILE || errno_value == ENFILE)
        SAY("%s takes nobody more for now: %s; raise the limit (ulimit -n), trying again each "
            "second",
            where, strerror(errno_value));
    else
        SAY("%s takes nobody more for now: %s; trying again each second", where,
            strerror(errno_value));
}

static void explain_failed_call(const char *who, int errno_value, struct vox_net_error *out)
{
    switch (errno_value) {
    case ECONNREFUSED:
        SAY("%s refused: no program listens there; start it, calling again until it answers", who);
        return;
    case ENOENT:
        SAY("%s: there is no such socket; start the program that listens there, calling again "
            "until it answers",
            who);
        return;
    case EPROTOTYPE:
        SAY("%s takes datagrams, not connections; write unix: instead of unix-stream:, calling "
            "again until it answers",
            who);
        return;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
        SAY("%s cannot be reached (%s); check address and network, calling again until it answers",
            who, strerror(errno_value));
        return;
    case ETIMEDOUT:
        SAY("%s does not answer; is that machine on, and does a firewall let it in? Calling again "
            "until it answers",
            who);
        return;
    case ECONNRESET:
        SAY("%s hung up at once; does it take connections from here? Calling again until it "
            "answers",
            who);
        return;
    case EAGAIN:
        SAY("%s is busy: too many wait to be let in; calling again until it answers", who);
        return;
    case EACCES:
    case EPERM:
        SAY("%s: not permitted; check the rights of the socket, or the firewall, calling again "
            "until it answers",
            who);
        return;
    default:
        SAY("%s cannot be called: %s; calling again until it answers", who, strerror(errno_value));
    }
}

/* It is called where it was found last. */
static void explain_lookup(const struct vox_stream *stream, int err, struct vox_net_error *out)
{
    const char *host = stream->config.name.endpoint.host;
    if (err == VOX_ENOTFOUND)
        SAY("there is no host \"%.100s\" any more; calling its last address, and looking it up "
            "again each time",
            host);
    else if (err == VOX_EADDRESS)
        SAY("cannot look up \"%.100s\" again: the name server does not answer; calling its last "
            "address, and looking it up again each time",
            host);
    else
        SAY("cannot look up \"%.100s\" again: %s; calling its last address", host,
            vox_err_text(err));
}

static void explain_refused(const struct vox_stream *stream, const struct vox_stream_note *note,
                            const char *who, struct vox_net_error *out)
{
    if (note->errno_value < 0)
        explain_lookup(stream, note->errno_value, out);
    else if (calls(stream))
        explain_failed_call(who, note->errno_value, out);
    else if (note->errno_value)
        explain_shortage(stream, note->errno_value, out);
    else
        SAY("%s was turned away: %zu are connected, as many as may be; it can come when one has "
            "gone",
            who, stream->peer_capacity);
}

static void explain_broken(const struct vox_stream *stream, const struct vox_stream_note *note,
                           const char *who, struct vox_net_error *out)
{
    const char *then = and_then(stream);
    if (note->errno_value == ECONNRESET || note->errno_value == EPIPE)
        SAY("%s broke the connection off (reset): its program was ended, or did not want what it "
            "got%s",
            who, then);
    else if (note->errno_value == ETIMEDOUT)
        SAY("%s was lost: for a while it took nothing of what it was sent; is its network or "
            "machine down, or its program stopped?%s",
            who, then);
    else
        SAY("%s was lost: %s; check the network%s", who, strerror(note->errno_value), then);
}

static void explain_idle(const struct vox_stream *stream, const struct vox_stream_note *note,
                         const char *who, struct vox_net_error *out)
{
    if (note->errno_value == EBUSY)
        SAY("%s sent nothing, and its place was wanted: %zu are connected, as many as may be; let "
            "go, it may come again, and the next ones like it are only counted",
            who, stream->peer_capacity);
    else
        SAY("%s sent nothing for %.3g s; let go, it may come again", who,
            (double)stream->config.idle_ns / (double)VOX_NS_PER_S);
}

static void explain(const struct vox_stream *stream, const struct vox_stream_note *note,
                    const char *who, struct vox_net_error *out)
{
    const char *then = and_then(stream);
    switch (note->kind) {
    case VOX_TRANSPORT_CONNECTED:
        SAY("%s%s", calls(stream) ? "connected to " : "connected: ", who);
        return;
    case VOX_TRANSPORT_ENDED:
        SAY("%s has ended the connection%s", who, then);
        return;
    case VOX_TRANSPORT_BROKEN:
        explain_broken(stream, note, who, out);
        return;
    case VOX_TRANSPORT_TOO_SLOW:
        SAY("%s did not keep up: %zu bytes waited for it; let go, it needs a faster network or a "
            "lower bitrate%s",
            who, stream->config.queue_bytes, then);
        return;
    case VOX_TRANSPORT_IDLE:
        explain_idle(stream, note, who, out);
        return;
    case VOX_TRANSPORT_MALFORMED:
        SAY("%s sends no packets as RFC 4571 frames them; let go, is it a program of another "
            "kind?%s",
            who, then);
        return;
    case VOX_TRANSPORT_REFUSED:
        explain_refused(stream, note, who, out);
        return;
    case VOX_TRANSPORT_TROUBLE:
    case VOX_TRANSPORT_OVERFLOW:
        SAY("%s: %s", who, strerror(note->errno_value));
        return;
    }
}

void vox_stream_explain(const struct vox_stream *stream, const struct vox_stream_note *note,
                        struct vox_transport_event *out)
{
    char who[WHO_BYTES];
    struct vox_net_error error = {""};
    describe_peer(stream, &note->peer, who);
    explain(stream, note, who, &error);
    *out = (struct vox_transport_event){.kind = note->kind, .peer = note->peer};
    memcpy(out->text, error.text, sizeof out->text);
}
