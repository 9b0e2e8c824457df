#include "base/bytes.h"
#include "support/test.h"

static void reads_big_endian(void **state)
{
    (void)state;
    const uint8_t bytes[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07};
    struct vox_reader r = vox_reader_of(bytes, sizeof bytes);
    assert_int_equal(vox_read_u8(&r), 0x01);
    assert_int_equal(vox_read_u16(&r), 0x0203);
    assert_int_equal(vox_read_u32(&r), 0x04050607);
    assert_false(r.failed);
    assert_int_equal(r.left, 0);
}

static void short_read_fails_and_stays_failed(void **state)
{
    (void)state;
    const uint8_t bytes[] = {0xff, 0xff, 0xff};
    struct vox_reader r = vox_reader_of(bytes, sizeof bytes);
    assert_int_equal(vox_read_u32(&r), 0);
    assert_true(r.failed);
    assert_int_equal(vox_read_u8(&r), 0);
    assert_null(vox_read_bytes(&r, 0));
}

static void writes_what_it_reads(void **state)
{
    (void)state;
    uint8_t bytes[15];
    struct vox_writer w = vox_writer_of(bytes, sizeof bytes);
    vox_write_u8(&w, 0xab);
    vox_write_u16(&w, 0x1234);
    vox_write_u32(&w, 0xdeadbeef);
    vox_write_u64(&w, UINT64_C(0x0123456789abcdef));
    assert_false(w.failed);
    assert_int_equal(w.size, 15);
    struct vox_reader r = vox_reader_of(bytes, w.size);
    assert_int_equal(vox_read_u8(&r), 0xab);
    assert_int_equal(vox_read_u16(&r), 0x1234);
    assert_int_equal(vox_read_u32(&r), 0xdeadbeef);
    assert_true(vox_read_u64(&r) == UINT64_C(0x0123456789abcdef));
}

static void full_writer_fails_without_writing(void **state)
{
    (void)state;
    uint8_t bytes[3] = {9, 9, 9};
    struct vox_writer w = vox_writer_of(bytes, 2);
    vox_write_u32(&w, 1);
    assert_true(w.failed);
    assert_int_equal(w.size, 0);
    vox_write_u8(&w, 1);
    assert_int_equal(w.size, 0);
    assert_int_equal(bytes[0], 9);
}

RUN(cmocka_unit_test(reads_big_endian), cmocka_unit_test(short_read_fails_and_stays_failed),
    cmocka_unit_test(writes_what_it_reads), cmocka_unit_test(full_writer_fails_without_writing))
