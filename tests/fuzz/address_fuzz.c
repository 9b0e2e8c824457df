#include "fuzz.h"
#include "net/address.h"

static void check_prints_back(const struct vox_address *address)
{
    const struct vox_address_hints hints = {.listening = true};
    struct vox_address again;
    char printed[VOX_ADDRESS_TEXT_BYTES];
    vox_address_format(address, printed);
    FUZZ_CHECK(vox_address_lookup(printed, &hints, &again, NULL) == 0);
    FUZZ_CHECK(vox_address_equal(address, &again));
}

static void check_path(const struct vox_endpoint *endpoint)
{
    const struct vox_address_hints hints = {0};
    struct vox_address address;
    FUZZ_CHECK(endpoint->path[0] != '\0' && strlen(endpoint->path) <= VOX_ADDRESS_MAX_PATH);
    FUZZ_CHECK(vox_address_resolve(endpoint, &hints, &address, NULL) == 0);
    check_prints_back(&address);
}

/* Whatever comes, the parts fit what they claim to be; what is refused comes with a reason. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[1024];
    if (size >= sizeof text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    struct vox_endpoint endpoint;
    struct vox_net_error error = {""};
    if (vox_address_parse(text, &endpoint, &error) < 0) {
        FUZZ_CHECK(error.text[0] != '\0');
        return 0;
    }
    if (endpoint.scheme == VOX_SCHEME_UNIX || endpoint.scheme == VOX_SCHEME_UNIX_STREAM) {
        check_path(&endpoint);
        return 0;
    }
    FUZZ_CHECK(endpoint.path[0] == '\0');
    FUZZ_CHECK(strlen(endpoint.host) <= VOX_ADDRESS_MAX_HOST);
    FUZZ_CHECK(endpoint.host_is_v6 == (strchr(endpoint.host, ':') != NULL));
    FUZZ_CHECK(endpoint.has_port || endpoint.port == VOX_ADDRESS_DEFAULT_PORT);
    FUZZ_CHECK(endpoint.host[0] != '\0' || endpoint.has_port);
    /* Only numbers go on to the resolver, so that no name server is asked. */
    struct vox_address address;
    const struct vox_address_hints hints = {.listening = true};
    if (endpoint.host_is_v6 && !endpoint.service[0] && !strchr(endpoint.host, '%') &&
        vox_address_resolve(&endpoint, &hints, &address, NULL) == 0)
        check_prints_back(&address);
    return 0;
}
