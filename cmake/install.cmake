# libvoxgram, static and shared: the engines and what they stand on. Everything but VOX_API is hidden.

include(CMakePackageConfigHelpers)

set(VOX_LIBRARY_LAYERS base wire dsp sender receiver)
set(VOX_LIBRARY_PACKAGES "opus soxr samplerate")
foreach(layer IN LISTS VOX_LIBRARY_LAYERS)
    list(APPEND vox_objects $<TARGET_OBJECTS:vox_${layer}>)
endforeach()

function(vox_library target kind)
    add_library(${target} ${kind} ${vox_objects})
    set_target_properties(${target} PROPERTIES OUTPUT_NAME voxgram LINKER_LANGUAGE C)
    target_link_libraries(${target} PRIVATE
        PkgConfig::OPUS PkgConfig::SOXR PkgConfig::SAMPLERATE m)
    add_dependencies(${target} vox_base vox_wire vox_dsp vox_sender vox_receiver)
endfunction()

vox_library(voxgram_static STATIC)
vox_library(voxgram_shared SHARED)
set_target_properties(voxgram_shared PROPERTIES
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})

install(TARGETS voxgram_static voxgram_shared
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
# Laid out as in the sources, so that #include "base/api.h" inside them finds its way.
install(FILES sender/sender.h receiver/receiver.h
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/voxgram)
install(FILES common/base/api.h common/base/err.h common/base/prefer.h common/base/time.h
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/voxgram/base)

# Relative, so that an installed tree can be moved.
file(RELATIVE_PATH VOX_PC_TO_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(cmake/voxgram.pc.in voxgram.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/voxgram.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

configure_package_config_file(cmake/voxgram-config.cmake.in voxgram-config.cmake
    INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/voxgram
    PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file(voxgram-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/voxgram-config.cmake
              ${PROJECT_BINARY_DIR}/voxgram-config-version.cmake
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/voxgram)

install(FILES docs/man/voxgram-send.1 docs/man/voxgram-recv.1 docs/man/voxgram-lab.1
    DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES docs/man/voxgram.7 DESTINATION ${CMAKE_INSTALL_MANDIR}/man7)
