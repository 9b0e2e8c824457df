#include "fuzz.h"
#include "net/address.h"

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
    FUZZ_CHECK(endpoint.scheme == VOX_SCHEME_UDP);
    FUZZ_CHECK(strlen(endpoint.host) <= VOX_ADDRESS_MAX_HOST);
    FUZZ_CHECK(endpoint.host_is_v6 == (strchr(endpoint.host, ':') != NULL));
    FUZZ_CHECK(endpoint.has_port || endpoint.port == VOX_ADDRESS_DEFAULT_PORT);
    FUZZ_CHECK(endpoint.host[0] != '\0' || endpoint.has_port);
    /* Only numbers go on to the resolver, so that no name server is asked. */
    struct vox_address address, again;
    const struct vox_address_hints hints = {.listening = true};
    if (!endpoint.host_is_v6 || endpoint.service[0] || strchr(endpoint.host, '%') ||
        vox_address_resolve(&endpoint, &hints, &address, NULL) < 0)
        return 0;
    char printed[VOX_ADDRESS_TEXT_BYTES];
    vox_address_format(&address, printed);
    FUZZ_CHECK(vox_address_lookup(printed, &hints, &again, NULL) == 0);
    FUZZ_CHECK(vox_address_equal(&address, &again));
    return 0;
}
