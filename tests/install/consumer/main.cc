// A C++ program finds each function under its C name.
#include <voxgram/base/err.h>
#include <voxgram/receiver.h>
#include <voxgram/sender.h>

#include <cstdio>

int main()
{
    vox_receiver_config receiver;
    vox_sender_config sender;
    vox_receiver_config_init(&receiver);
    vox_sender_config_init(&sender, VOX_PROFILE_VOICE);
    vox_sender *none = nullptr;
    int err = vox_sender_create(&sender, &none); // without a callback: refused
    std::printf("%s\n", vox_err_text(err));
    return err == VOX_EINVAL ? 0 : 1;
}
